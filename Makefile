# make demo    a badge at badges/telescope.png, from nothing
# make test    the tests, from nothing
# make check   formatting, lint, types, secrets that must not be here, known vulnerabilities where they can be asked for
# make audit   known vulnerabilities of the pinned versions; fails where they cannot be asked for
# make lock    requirements.hashed.txt from constraints.txt: the hashes of what the container image installs
# make bench   measurements, printed as tables
# make image-test  the container image really built, without a registry, and used once (root, apt, 15 GB, ten minutes)
# make device-wheels  what must travel to a GPU machine without a package index, for training/demo and benchmarks.gpu
# make train-demo  the demo's style LoRA trained again, under 15 minutes on two cores, and tested
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python

.PHONY: demo test test-slow check audit lock bench image-test device-wheels train-demo clean
.DEFAULT_GOAL := demo

demo: $(VENV)/.ready
	$(PY) -m inference.render --generator demo --object telescope --text "UX SCOUT" --seed 1 --out badges/telescope.png

test: $(VENV)/.ready-test
	$(PY) -m pytest -n auto --dist loadfile -m "not slow"

test-slow: $(VENV)/.ready-test
	$(PY) -m pytest

check: $(VENV)/.ready-dev
	$(VENV)/bin/ruff format --check . .ci/lock-hashes
	$(VENV)/bin/ruff check . .ci/lock-hashes
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-logo
	git ls-files -z | xargs -0 $(VENV)/bin/detect-secrets-hook
	$(PY) .ci/audit.py --offline-ok

audit: $(VENV)/.ready-dev
	$(PY) .ci/audit.py

lock: $(VENV)/.ready-test
	$(PY) .ci/lock-hashes

bench: $(VENV)/.ready-test
	$(PY) -m benchmarks

image-test: $(VENV)/.ready-test
	.ci/image-test

# A GPU machine without a package index often has PyTorch, transformers and NumPy, in versions of its own. These wheels are
# what training/demo and benchmarks.gpu need besides; there: pip install --no-index --no-deps --target DIR wheels/*.whl
DEVICE_PYTHON ?= 3.12
DEVICE_PLATFORM ?= x86_64
DEVICE_PACKAGES := annotated-types diffusers importlib_metadata pydantic pydantic-core pydantic-settings python-dotenv \
    regex torchao typing-inspection uharfbuzz
device-wheels: $(VENV)/.ready
	$(PY) -m pip download --disable-pip-version-check --quiet --no-deps --only-binary=:all: --constraint constraints.txt \
	    --dest wheels --python-version $(DEVICE_PYTHON) --implementation cp \
	    $(foreach glibc,2_28 2_27 2_24 2_17,--platform manylinux_$(glibc)_$(DEVICE_PLATFORM)) $(DEVICE_PACKAGES)
	du -ch wheels/*.whl

# The demo's LoRA, from the 20 pictures in training/demo/training_images; interrupted, it goes on where it was.
train-demo: $(VENV)/.ready
	$(PY) -m training.run --backend local --profile demo --data training/demo/training_images --config training/demo_lora.toml --out loras/aidbox-demo --resume
	$(PY) -m training.evaluate --lora loras/aidbox-demo/lora.safetensors --config training/demo_lora.toml --out loras/aidbox-demo/test_results

clean:
	rm -rf $(VENV) build *.egg-info

# Each stamp is newer than the files that say what to install, so a second run needs no network.
$(VENV)/.ready: pyproject.toml constraints.txt
	$(call install,.)
$(VENV)/.ready-test: pyproject.toml constraints.txt
	$(call install,.[test])
$(VENV)/.ready-dev: pyproject.toml constraints.txt
	$(call install,.[test$(comma)dev])

comma := ,
define install
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON) is older than Python 3.11: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
test -x $(PY) || $(PYTHON) -m venv $(VENV)
$(PY) -m pip install --disable-pip-version-check --quiet --constraint constraints.txt --editable "$(1)"
@touch $@
endef
