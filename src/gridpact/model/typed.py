"""The typed structs that people, meters, sensors and aggregators sign (EIP-712).

Frozen: `tests/vectors/eip712.json` holds a digest of each. A changed field is a new version.
"""

from gridpact.crypto.eip712 import StructType


def _struct(name: str, fields: str) -> StructType:
    pairs = (field.split() for field in fields.split(","))
    return StructType(name, tuple((kind, field) for kind, field in pairs))


ORDER = _struct(
    "Order",
    "address participant,uint8 side,uint8 tier,bytes32 region,uint64 interval,uint64 energyWh,"
    "uint64 price,uint32 minReputation,bytes32 terms,bytes32 parent,uint64 expires,uint256 salt",
)
ATTRIBUTES = _struct(
    "Attributes",
    "bool allOrNothing,uint64 start,uint64 end,uint32 source,address partner,uint32 zone",
)
ACCEPTED = _struct("Accepted", "bytes32 orderHash,bytes32 region,uint64 interval,uint32 sequence")
PROPOSAL = _struct(
    "Proposal",
    "address participant,bytes32 request,bytes32 answers,uint32 round,uint8 word,uint64 energyWh,"
    "uint64 price",
)
CANCELLED = _struct("Cancelled", "bytes32 orderHash,bytes32 region,uint64 interval")
READING = _struct(
    "Reading",
    "address meter,bytes32 region,uint64 interval,uint64 importWh,uint64 exportWh,uint8 quality",
)
POSTING = _struct("Posting", "bytes32 orderHash,uint64 charge,uint32 fills")
PROFILE = _struct(
    "Profile",
    "address meter,bytes32 region,uint64 interval,uint64 importBefore,uint64 exportBefore,"
    "uint64 importWh,uint64 exportWh",
)
VERDICT = _struct(
    "Verdict", "bytes32 fillHash,bytes32 region,uint64 interval,bool go,bytes32 reason"
)
CONFIRMATION = _struct(
    "Confirmation", "bytes32 fillHash,bytes32 region,uint64 interval,uint64 receivedWh"
)
VOUCHER = _struct(
    "Voucher",
    "address account,address seller,uint64 serial,uint64 validUntil,uint64 volumeWh,"
    "uint256 balance,uint256 charge,uint64 dueBy,bytes32 recordRoot",
)
HOLD = _struct("Hold", "bytes32 purchase")
QUORUM = _struct(
    "Quorum",
    "bytes32 region,uint64 interval,uint8 phase,uint32 part,uint64 epoch,bytes32 clearingHash,"
    "bytes32 listHash,bytes32 root,bytes32 header,bytes32 deltasHash",
)
PURCHASE_RECORD = _struct(
    "PurchaseRecord",
    "address buyer,uint64 serial,uint32 timely,uint32 late,bytes32 payments",
)
MESSAGE = _struct(
    "Message",
    "address sender,address receiver,bytes32 certificate,uint64 nonce,uint64 sentAt,bytes32 body",
)
POSSESSION = _struct("Possession", "address account,address buyer,address key")
MINT = _struct("Mint", "address to,uint256 amount,bytes32 ref,uint64 day")
DEPOSIT = _struct("Deposit", "address account,uint256 amount,bytes32 ref,uint64 day")
PERMIT = _struct(
    "Permit", "address owner,address spender,uint256 value,uint256 nonce,uint256 deadline"
)

BATCHES = _struct(
    "Batches", "bytes32 region,uint64 interval,uint32 part,uint64 epoch,bytes32 batches"
)
PLEDGE = _struct("Pledge", "address account,uint256 amount,uint64 serial")
SECURITY = _struct("Security", "address account,uint256 amount,uint64 serial")
HEAD = _struct("Head", "bytes32 region,uint64 interval,uint64 number,bytes32 head,bytes32 previous")

ALL = (
    *(ORDER, ACCEPTED, CANCELLED, READING, VERDICT, CONFIRMATION, VOUCHER, HOLD, QUORUM),
    *(POSTING, PROFILE, ATTRIBUTES),
    *(MINT, DEPOSIT, PERMIT, POSSESSION, HEAD),
    *(BATCHES, PLEDGE),
    *(PROPOSAL, PURCHASE_RECORD, MESSAGE),
    SECURITY,
)
