"""What each figure is meant to be at most, beside what it is."""


def lines(*goals: tuple[str, float, float]) -> list[str]:
    """One line for each (what, figure, bound)."""
    return [f"- Goal, {what}: at most {bound:g}; {figure:.3g}, {'held' if figure <= bound else '**missed**'}." for what, figure, bound in goals]
