"""Paths that almost name an organisation: variants to try in place of a name."""


def tricks(name: str, *, below: str, beside: str) -> tuple[str, ...]:
    """Variants of `name`. `below` may follow it in the path; `beside` is the folder that it is in."""
    return (
        f"%2E%2E%2F{name}", f"..%2f{name}", f"{name}%2F..%2F{name}", f"x%2F..%2F{name}", f"{name}%00", f"%00{name}",
        f"{name}%0a", f"{name}%0d%0aX-Injected:%201", f"{name}%252F", f"{name}%20", f"{name}%2Fsms", f"{name};x=1",
        f"{name}%2F{below}", f"{name}%3Fx", f"{name}%23", f"{name}\\", f"{name}/", f"/{name}", f"./{name}",
        f"../{beside}/{name}", f"{name}/../{name}", f"%E2%80%AE{name}", "%", "%zz", "%ff", "%ed%a0%80", "a" * 8_000,
        "%41" * 2_000, "..", ".", "",
    )  # fmt: skip
