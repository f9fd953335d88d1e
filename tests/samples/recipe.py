from samples import TestedIn

SAMPLES = {
    "Checklist": TestedIn("recipe/test_recipe.py"),
    "RecipeResult": TestedIn("recipe/test_recipe.py"),
    "Step": TestedIn("recipe/test_recipe.py"),
    "train": TestedIn("recipe/test_recipe.py"),
}
