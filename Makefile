# The two commands of the README; `make test` is all that CI runs.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed
RESULTS := results/mini

export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: reproduce test gpu docs system lock clean

# The report comes before the verdict, since it shows by how much a mean is off.
reproduce: $(INSTALLED)
	snakemake --cores all results
	snakemake results --report $(RESULTS)/report.html
	@echo "page:   $(RESULTS)/site/index.html"
	@echo "report: $(RESULTS)/report.html"
	@echo "table:  $(RESULTS)/tables/transfer_accuracy.md"
	@echo "figure: $(RESULTS)/figures/transfer_accuracy.png"
	@snakemake --cores all || { echo "the check failed: see $(RESULTS)/check.csv"; exit 1; }
	@cat $(RESULTS)/verdict.txt

# Continuous integration has a machine of its own, on which nothing is left out.
ifeq ($(CI)-$(shell id -u)-$(shell uname -s),true-0-Linux)
test: system
endif

test: $(INSTALLED)
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	snakemake --lint --configfile workflow/config/smoke.yaml
	OMP_NUM_THREADS=1 pytest --numprocesses logical --dist loadfile --no-loadscope-reorder

# Debian's packages for tests that are skipped without them, of pages of results and profiles/slurm.
system:
	which chromium chromedriver sbatch munged || { apt-get update && apt-get install --yes \
	  --no-install-recommends chromium chromium-driver fonts-dejavu-core munge slurm-wlm; }

# Needs a CUDA card; a rehearsal without one: wowbench bench gpu --device cpu --tiny --out FOLDER.
gpu: $(INSTALLED)
	wowbench bench gpu --out results/gpu

# The documentation, into site/.
docs: $(INSTALLED)
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict

$(INSTALLED): envs/requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --requirement envs/requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# Needs uv. Pins for every Python from 3.11 and every platform in one file.
lock:
	uv pip compile --universal --python-version 3.11 --no-annotate --no-emit-index-url \
	  --custom-compile-command 'make lock' \
	  --extra workflow --extra slurm --extra dev --extra docs pyproject.toml \
	  --output-file envs/requirements.lock

clean:
	rm -rf .venv .snakemake site results/mini results/smoke
