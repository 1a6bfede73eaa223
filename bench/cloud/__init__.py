"""A stub of AWS and of both providers, in a process of its own and as fast as a stub can be.

So a bench measures our own cost and not an emulator's. Conditions, sizes and indexes are those of AWS, because they are
counted and priced.
"""
