"""What a killed search leaves half-written is made whole before another one goes on with it.

Keras Tuner rewrites its files in place: one for the whole search, one for each trial, one for the
tuner. Copies are kept where a file holds something that cannot be found again.
"""

import json
import os
import shutil
import tempfile

#: How names begin of files that are being written.
DRAFT = ".draft-"


def replace(file, text):
    """Writes a file whole or not at all."""
    handle, temporary = tempfile.mkstemp(prefix=DRAFT, dir=file.parent)
    with os.fdopen(handle, "w") as stream:
        stream.write(text)
    os.replace(temporary, file)


def content(file):
    """What a file of JSON holds; None if it is not there or not whole."""
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError):
        return None


def back_up(file):
    """Keeps a copy of a file if it is whole."""
    if content(file) is not None:
        replace(file.with_suffix(".backup"), file.read_text())


def restore(file):
    """Puts the copy in the place of a file that is not whole; whether it is whole now."""
    if content(file) is not None:
        return True
    copy = file.with_suffix(".backup")
    if content(copy) is None:
        return False
    replace(file, copy.read_text())
    return True


def mend(project):
    """Whatever moment the search was killed at, every trial that it had ended is kept."""
    for draft in project.glob(f"**/{DRAFT}*"):
        draft.unlink()
    oracle, trials = project / "oracle.json", sorted(project.glob("trial_*"))
    if not restore(oracle):
        statuses = [(content(trial / "trial.json") or {}).get("status") for trial in trials]
        if "COMPLETED" in statuses:
            raise ValueError(f"The file {oracle} is damaged; pass overwrite=True.")
        oracle.unlink(missing_ok=True)
    known = (content(oracle) or {}).get("start_order", ())
    for trial in trials:
        if trial.name.removeprefix("trial_") not in known:
            shutil.rmtree(trial)  # Not noted yet: it will be begun again, and be the same.
        elif not restore(trial / "trial.json"):
            raise ValueError(f"The file {trial / 'trial.json'} is damaged; pass overwrite=True.")
    for tuner in project.glob("*.json"):
        if tuner.name not in ("oracle.json", "space.json"):
            if not oracle.exists():
                tuner.unlink()  # Or Keras Tuner would look for something to go on with.
            elif content(tuner) is None:
                replace(tuner, "{}")
