"""The directory in which a search is kept, and whose it is."""

import json
import os
import shutil
import tempfile


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
        oracle, backup = project / "oracle.json", project / "oracle.backup"
        if not is_worker() and oracle.exists() and not readable(oracle):
            if not backup.exists():
                raise ValueError(f"The file {oracle} is damaged; pass overwrite=True.")
            replace(oracle, backup.read_text())
        return
    if project.exists() and any(project.iterdir()):
        raise ValueError(
            f"The directory {project} holds something else than a search of this package; choose "
            "another project_name, or pass overwrite=True to begin anew."
        )
    project.mkdir(parents=True, exist_ok=True)
    replace(file, json.dumps(wanted, indent=1))


def back_up(project):
    """Keeps a whole copy of the oracle's file, which Keras Tuner rewrites in place."""
    oracle = project / "oracle.json"
    if oracle.exists() and readable(oracle):
        replace(oracle.with_suffix(".backup"), oracle.read_text())


def readable(file):
    try:
        json.loads(file.read_text())
    except ValueError:
        return False
    return True


def replace(file, text):
    """Writes a file whole or not at all."""
    handle, temporary = tempfile.mkstemp(dir=file.parent)
    with os.fdopen(handle, "w") as stream:
        stream.write(text)
    os.replace(temporary, file)


def is_worker():
    """Whether this process only runs trials that another one hands out."""
    chief = "KERASTUNER_ORACLE_IP" in os.environ
    return chief and "chief" not in os.environ.get("KERASTUNER_TUNER_ID", "")
