"""The directory in which a search is kept, and whose it is."""

import json
import os
import shutil

from keras_dlnotes.tuning.mending import DRAFT, mend, replace


def fingerprint(hypermodel, hp, tuner, objective, folds):
    """What makes a search this search: another one may not go on in its directory."""
    settings = hypermodel.settings() if hasattr(hypermodel, "settings") else hp.get_config()
    about = {
        "hypermodel": type(hypermodel).__name__,
        "settings": settings,
        "tuner": tuner,
        "objective": [objective.name, objective.direction],
        "folds": folds,
    }
    return json.loads(json.dumps(about, default=str))


def claim(project, wanted, overwrite):
    """Makes the directory this search's, or refuses if it is another's."""
    file = project / "space.json"
    if is_worker() and (overwrite or not file.exists()):
        return  # The chief claims it, maybe at this moment.
    if overwrite and project.exists():
        shutil.rmtree(project)
    if file.exists():
        held = json.loads(file.read_text())
        if held != wanted:
            differing = [key for key in wanted if held.get(key) != wanted[key]]
            raise ValueError(
                f"The directory {project} holds a search over another space (its "
                f"{', '.join(differing)} differ); choose another project_name, or pass "
                "overwrite=True to begin anew."
            )
        if not is_worker():
            mend(project)
        return
    if project.exists() and any(not each.name.startswith(DRAFT) for each in project.iterdir()):
        raise ValueError(
            f"The directory {project} holds something else than a search of this package; choose "
            "another project_name, or pass overwrite=True to begin anew."
        )
    project.mkdir(parents=True, exist_ok=True)
    replace(file, json.dumps(wanted, indent=1))


def is_worker():
    """Whether this process only runs trials that another one hands out."""
    chief = "KERASTUNER_ORACLE_IP" in os.environ
    return chief and "chief" not in os.environ.get("KERASTUNER_TUNER_ID", "")
