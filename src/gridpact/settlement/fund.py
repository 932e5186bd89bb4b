"""What the market's own accounts can pay of rewards and claims, fill by fill.

An empty account leaves a recorded claim, never a short payment to a trading party (5-decisions,
section 8). The contract pays in the same order: `contracts/settlement.vy`.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from gridpact.model.statement import Case, SettlementTerms, Statement
from gridpact.quantities import Money, part


def loss_fund_part(charge: Money, terms: SettlementTerms) -> Money:
    """Return what of a network charge goes to `network_loss`; the network operator has the rest."""
    return part(charge, terms.loss_fund_share)


def fund(
    statements: Sequence[Statement], reward: Money, network_loss: Money, terms: SettlementTerms
) -> tuple[Statement, ...]:
    """Return the statements with reward and claim as the accounts can pay them.

    `reward` and `claim` of the result are what is paid, `unpaid_reward` and `unpaid_claim` what
    remains owed. Fills come in order. Each first pays its part of the network charge and its
    unused fee into `network_loss`, then its reward and its claim are paid as far as `reward` and
    `network_loss` (their free money before the first fill) reach.
    """
    funded = []
    for statement in statements:
        if statement.case is Case.DISPUTE:
            funded.append(statement)
            continue
        network_loss += loss_fund_part(statement.charge, terms) + statement.fee_network
        rewarded = min(statement.reward, reward)
        claimed = min(statement.claim, network_loss)
        reward -= rewarded
        network_loss -= claimed
        if rewarded < statement.reward or claimed < statement.claim:
            statement = replace(
                statement,
                reward=rewarded,
                claim=claimed,
                unpaid_reward=statement.reward - rewarded,
                unpaid_claim=statement.claim - claimed,
            )
        funded.append(statement)
    return tuple(funded)
