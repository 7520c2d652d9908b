"""The feature flags this version knows, and their value when .env does not say."""

import environ

KNOWN = {
    "stock_badges": True,  # how many are left, on the public page
    "recommendations": False,  # what others also bought
}


def variable(name: str) -> str:
    """The variable that carries a flag: stock_badges -> ENABLE_STOCK_BADGES."""
    return f"ENABLE_{name.upper()}"


def read(env: environ.Env) -> dict[str, bool]:
    """Every known flag with the value a process that starts now would use."""
    return {name: env.bool(variable(name), default=default) for name, default in KNOWN.items()}
