# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Named accounts
@notice The market's own accounts: the last 20 bytes of keccak("gridpact account " + name), the
        same as `model/participant.py: Named.address`. Nobody has a key for them.
"""

OPERATOR: constant(address) = 0xc57105e497116A69490eDd683935725ABe2E1bfb
NETWORK_OPERATOR: constant(address) = 0xCBcAA1ba895d6740096199FB18A1f2a212bbd00c
GRID_SUPPLY: constant(address) = 0x8fA60E76c438AC2C271913E90E6814905Dc76044
NETWORK_LOSS: constant(address) = 0xD571Ba0d7ed6940198f8377b0939089296c6aD9E
REWARD: constant(address) = 0x5Afe7d5Ab6F821D527b1eC9Cb6280cBF1725D37A
INCENTIVE: constant(address) = 0x94F1AecFC1dD9dC615f449564382192FB16A0B85
FINES: constant(address) = 0xA4dDA9Dbea8754C4111d092E6EEb56424eEAD9CD
