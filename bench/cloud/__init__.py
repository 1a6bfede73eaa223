"""AWS and both providers as fast as a stub can be, in a process of their own: so that a bench measures our own cost,
not an emulator's. What is kept is kept faithfully (conditions, sizes, indexes), because it is counted and priced."""
