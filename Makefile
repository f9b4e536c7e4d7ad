# fsharefs: `make` shows what there is.

PREFIX ?= /usr/local
DESTDIR ?=
# Where mount(8) looks for what mounts a type, wherever PREFIX is; empty: nothing is put there.
MOUNT_HELPERS ?= $(if $(filter /usr /usr/local,$(PREFIX)),/sbin,$(PREFIX)/sbin)
SYSTEM_UNITS ?= $(PREFIX)/lib/systemd/system
ZSH_FUNCTIONS ?= $(PREFIX)/share/zsh/site-functions
# Empty: programs are installed with what debuggers want to know.
STRIP ?= -s
DIR ?= ~/share
HISTORIES ?= 100000
SECONDS ?= 60
MINUTES ?= 5
SEED ?=
LIARS ?=
ROWS ?=
RUNS ?=
FILTER ?=

SHELL := /bin/sh
# Where swift lives when nobody put it on PATH.
export PATH := $(PATH):$(HOME)/.local/share/swiftly/bin
SWIFT := $(shell command -v swift)
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
# A tilde in DIR=~/share reaches make unexpanded from some shells.
MOUNTPOINT := $(patsubst ~/%,$(HOME)/%,$(DIR))

RELEASE := .build/release
# Where packages are built and tried.
PACKAGED := .build/deb
PROGRAMS := fsharefs fshare-hub fsharectl
HELPERS := mount.fsharefs mount.fuse.fsharefs
# For `make check`: suites without mounts, and those of them that take long.
QUICK := ProtocolTests|CoreTests|SealingTests|RuntimeTests
SLOW := SimulationTests
FUZZERS := messages frames bodies invites names control hub master member namespace
# What is in the house style; Fuzz/Sources has links to Sources, which are left out here.
STYLED := Sources Tests Package.swift Benchmarks/Sources Benchmarks/Package.swift \
  $(addprefix Fuzz/Sources/,Fuzzer $(FUZZERS))
SOURCES := Package.swift $(shell find Sources -type f)
MANUALS := $(wildcard share/man/*.[18])

# libwebsockets' headers include those of OpenSSL and libcap; git and the certificates fetch packages.
PACKAGES := pkg-config libfuse3-dev fuse3 libwebsockets-dev libssl-dev libcap-dev libqrencode-dev libarchive-dev \
  git ca-certificates
# Programs that tests run on a mount.
TEST_PACKAGES := iproute2 rsync tar gzip git sqlite3 vim-tiny nano bsdutils util-linux make gcc libc6-dev python3 \
  perl e2fsprogs mount strace libglib2.0-bin chromium chromium-driver
DEB_PACKAGES := debhelper dpkg-dev fakeroot lintian man-db
ROOT_PACKAGES := debootstrap lintian util-linux iproute2
BENCH_PACKAGES := sshfs openssh-server bindfs

.PHONY: help deps swift build mount umount check test format simulate fuzz torture bench bench-full install uninstall deb test-packages clean

help:
	@echo 'make mount DIR=~/share    build, then share a folder: hub, master and mount in one process'
	@echo 'make umount DIR=~/share   leave'
	@echo 'make build                the programs, in $(RELEASE)'
	@echo 'make check                style, a debug build, the tests that need no mount: a minute when warm'
	@echo 'make test FILTER=name     style, build and all tests, or those with this in their names'
	@echo 'make simulate HISTORIES=100000 SEED=1 LIARS=members'
	@echo '                          random histories of a simulated network, with members, clients'
	@echo '                          or a hub that lie (LIARS=hub); a seed replays one run'
	@echo 'make fuzz SECONDS=60       made-up bytes for every decoder, and made-up messages for hub,'
	@echo '                          master, member and namespace, so long for each'
	@echo 'make torture MINUTES=5 SEED=1'
	@echo '                          real processes and mounts while they are killed, stopped, cut off,'
	@echo '                          their disks filled and their clocks moved; every byte, listing and ack'
	@echo '                          is checked'
	@echo 'make bench ROWS=a,b       speed, beside sshfs and others, in less than 10 minutes; all rows without'
	@echo '                          ROWS; make bench-full takes larger files and more rounds'
	@echo 'make install PREFIX=/usr/local DESTDIR= MOUNT_HELPERS=/sbin'
	@echo '                          programs, systemd units, manuals, completions, docs, and the links by'
	@echo '                          which mount(8) knows fsharefs, as `make build` left them; make uninstall'
	@echo '                          takes them away'
	@echo 'make deb                  the Debian package, in $(PACKAGED)'
	@echo 'make test-packages        installs, uses, upgrades and purges it in a fresh Debian, as root'
	@echo 'make deps                 only what the build needs from the system'
	@echo 'make format               rewrite the sources in the house style'
	@echo 'make clean                remove what was built'

# $(call need,PACKAGES): install those Debian packages that are missing; elsewhere, say which.
define need
	@missing=; \
	if command -v dpkg >/dev/null; then \
	  for package in $(1); do \
	    dpkg -s "$$package" 2>/dev/null | grep -q '^Status: .* installed$$' \
	      || missing="$$missing $$package"; \
	  done; \
	  if [ -n "$$missing" ]; then \
	    echo "installing:$$missing"; \
	    $(SUDO) apt-get update -q \
	      && $(SUDO) env DEBIAN_FRONTEND=noninteractive \
	        apt-get install -q -y --no-install-recommends $$missing; \
	  fi; \
	elif ! pkg-config --exists fuse3 libwebsockets openssl libqrencode libarchive; then \
	  echo 'no dpkg here: please install what your system calls: $(1)' >&2; exit 1; \
	fi
endef

deps: swift
	$(call need,$(PACKAGES))

swift:
ifeq ($(SWIFT),)
	@echo 'swift is not on PATH. Install Swift 6.2 or later from https://www.swift.org/install/linux/' >&2
	@echo 'or, if it is installed: make PATH="$$PATH:/folder/with/swift"' >&2
	@exit 1
else
	@:
endif

# The stamp is as old as the beginning: what was edited meanwhile is not in the programs.
build: deps
	@mkdir -p .build && touch .build/began
	$(SWIFT) build -c release
	@mv .build/began $(RELEASE)/.built

$(RELEASE)/.built: $(SOURCES)
	@$(MAKE) --no-print-directory build

mount: build
	@mkdir -p "$(MOUNTPOINT)"
	$(RELEASE)/fsharefs --host "$(MOUNTPOINT)"
	@echo
	@echo 'Mounted: what is copied into $(MOUNTPOINT) is shared.'
	@echo '  who is here:         $(RELEASE)/fsharectl members'
	@echo '  state of the mount:  $(RELEASE)/fsharectl status'
	@echo '  leave:               make umount DIR=$(MOUNTPOINT)'
	@echo 'A second member, here (on another machine only: fsharefs THIS-MACHINE MOUNTPOINT):'
	@echo '  mkdir -p /tmp/second'
	@echo '  $(RELEASE)/fsharefs 127.0.0.1 --nowait --name second --state /tmp/second-state /tmp/second'
	@echo 'It lists nothing ("Host is down") until it is approved:'
	@echo '  $(RELEASE)/fsharectl approve second'

umount:
	fusermount3 -u "$(MOUNTPOINT)"

check: deps
	$(SWIFT) format lint --strict -r $(STYLED)
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build --filter '$(QUICK)' --skip '$(SLOW)'

# Locks that are taken out of order trap.
check test: export FSHAREFS_CHECK_LOCKS = 1

# The last line is swift test's own.
test: deps
	$(call need,$(TEST_PACKAGES))
	$(SWIFT) format lint --strict -r $(STYLED)
	$(SWIFT) build -c release --build-tests
ifeq ($(FILTER),)
	@$(MAKE) --no-print-directory fuzz SECONDS=2
endif
	$(SWIFT) test -c release --skip-build $(if $(FILTER),--filter '$(FILTER)')

format: swift
	$(SWIFT) format -i -r $(STYLED)

simulate: build
	$(RELEASE)/fshare-simulate --histories $(HISTORIES) $(if $(SEED),--seed $(SEED)) \
	  $(if $(LIARS),--liars $(LIARS))

# What was found stays in .build/fuzz; a crash leaves its input in Fuzz and ends here.
fuzz: deps
	FSHAREFS_FUZZ=1 $(SWIFT) build -c release
	@for fuzzer in $(FUZZERS); do \
	  corpus=.build/fuzz/$$fuzzer; \
	  mkdir -p $$corpus; \
	  echo "fuzzing $$fuzzer for $(SECONDS) s"; \
	  SWIFT_BACKTRACE=enable=no $(RELEASE)/fuzz-$$fuzzer -max_total_time=$(SECONDS) -max_len=4096 \
	    -timeout=10 -verbosity=0 -artifact_prefix=Fuzz/ $$corpus Fuzz/Seeds/$$fuzzer >$$corpus.log 2>&1 \
	    || { tail -n 40 $$corpus.log; exit 1; }; \
	  tail -n 1 $$corpus.log; \
	done

# Built as for the tests: `swift test` by itself builds everything anew, with other settings.
torture: deps
	$(SWIFT) build -c release --build-tests
	FSHAREFS_TORTURE_MINUTES=$(MINUTES) FSHAREFS_TORTURE_SEED=$(SEED) FSHAREFS_REQUIRE_MOUNT=1 \
	  $(SWIFT) test -c release --skip-build --filter Adversity.Torture

bench: BENCH_OPTIONS =
bench-full: BENCH_OPTIONS = --full
bench bench-full: build
	$(call need,$(BENCH_PACKAGES))
	$(SWIFT) run -c release --package-path Benchmarks bench $(BENCH_OPTIONS) \
	  $(if $(ROWS),--rows $(ROWS)) $(if $(RUNS),--runs $(RUNS))

# Nothing is built where nothing has changed, so that root needs no toolchain.
install: $(RELEASE)/.built
	install -d "$(DESTDIR)$(PREFIX)/bin" \
	  "$(DESTDIR)$(PREFIX)/share/doc/fsharefs/docs" \
	  "$(DESTDIR)$(PREFIX)/share/man/man1" "$(DESTDIR)$(PREFIX)/share/man/man8" \
	  "$(DESTDIR)$(PREFIX)/share/bash-completion/completions" \
	  "$(DESTDIR)$(ZSH_FUNCTIONS)" "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d" \
	  "$(DESTDIR)$(SYSTEM_UNITS)" "$(DESTDIR)$(PREFIX)/lib/systemd/user"
	install $(STRIP) -m 755 $(addprefix $(RELEASE)/,$(PROGRAMS)) "$(DESTDIR)$(PREFIX)/bin"
	if [ -n "$(MOUNT_HELPERS)" ]; then \
	  install -d "$(DESTDIR)$(MOUNT_HELPERS)" || exit 1; \
	  for helper in $(HELPERS); do \
	    ln -sf "$(PREFIX)/bin/fsharefs" "$(DESTDIR)$(MOUNT_HELPERS)/$$helper" || exit 1; \
	  done; \
	fi
	for unit in fshare-hub.service fsharefs@.service; do \
	  sed 's,@PREFIX@,$(PREFIX),g' systemd/$$unit \
	    >"$(DESTDIR)$(SYSTEM_UNITS)/$$unit" || exit 1; \
	done
	sed 's,@PREFIX@,$(PREFIX),g' systemd/fsharefs.service \
	  >"$(DESTDIR)$(PREFIX)/lib/systemd/user/fsharefs.service"
	for manual in $(MANUALS); do \
	  install -m 644 $$manual "$(DESTDIR)$(PREFIX)/share/man/man$${manual##*.}" || exit 1; \
	done
	@# The programs know their options best, so they write their completions themselves. What is
	@# sourced has no interpreter.
	for program in $(PROGRAMS); do \
	  $(RELEASE)/$$program --generate-completion-script bash \
	    >"$(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$program" \
	  && sed -i '1{/^#!/d}' "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$program" \
	  && $(RELEASE)/$$program --generate-completion-script zsh \
	    >"$(DESTDIR)$(ZSH_FUNCTIONS)/_$$program" \
	  && $(RELEASE)/$$program --generate-completion-script fish \
	    >"$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/$$program.fish" || exit 1; \
	done
	install -m 644 LICENSE $(wildcard *.md) "$(DESTDIR)$(PREFIX)/share/doc/fsharefs"
	install -m 644 $(wildcard docs/*.md) "$(DESTDIR)$(PREFIX)/share/doc/fsharefs/docs"

uninstall:
	rm -f $(addprefix "$(DESTDIR)$(PREFIX)"/bin/,$(PROGRAMS))
	if [ -n "$(MOUNT_HELPERS)" ]; then \
	  rm -f $(addprefix "$(DESTDIR)$(MOUNT_HELPERS)"/,$(HELPERS)); \
	fi
	rm -f "$(DESTDIR)$(SYSTEM_UNITS)/fshare-hub.service" \
	  "$(DESTDIR)$(SYSTEM_UNITS)/fsharefs@.service" \
	  "$(DESTDIR)$(PREFIX)/lib/systemd/user/fsharefs.service"
	for manual in $(notdir $(MANUALS)); do \
	  rm -f "$(DESTDIR)$(PREFIX)/share/man/man$${manual##*.}/$$manual"; \
	done
	for program in $(PROGRAMS); do \
	  rm -f "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$program" \
	    "$(DESTDIR)$(ZSH_FUNCTIONS)/_$$program" \
	    "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/$$program.fish"; \
	done
	rm -rf "$(DESTDIR)$(PREFIX)/share/doc/fsharefs"

# dpkg-buildpackage puts everything into the folder above, unless each of its parts is told.
deb: $(RELEASE)/.built
	$(call need,$(DEB_PACKAGES))
	@rm -rf $(PACKAGED) && mkdir -p $(PACKAGED)
	DEB_DESTINATION=$(PACKAGED) dpkg-buildpackage --build=binary --no-sign \
	  --buildinfo-file=$(PACKAGED)/fsharefs.buildinfo --buildinfo-option=-u$(PACKAGED) \
	  --changes-file=$(PACKAGED)/fsharefs.changes --changes-option=-u$(PACKAGED)
	@debian/rules clean >/dev/null
	lintian --fail-on error,warning $(PACKAGED)/*.deb
	@ls -l $(PACKAGED)/*.deb

test-packages: deb
	$(call need,$(ROOT_PACKAGES))
	$(SUDO) Tests/Packages/in-a-fresh-root $(PACKAGED)/fsharefs_*.deb

clean:
	rm -rf .build Benchmarks/.build
