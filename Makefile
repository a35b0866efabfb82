# SPDX-License-Identifier: Apache-2.0
# The entrance: each target works alone on a fresh Debian 12 machine. Everything else is in meson.build and tools/.
#   build/          what developers use: optimised, with debug checks      build-asan/  clang, ASan + UBSan
#   build-release/  what users and benchmarks run                          build-fuzz/  clang, libFuzzer (tools/fuzz)
.PHONY: help all build release run test bench lint format deps install deb clean

PREFIX  ?= /usr/local
DESTDIR ?=
WERROR  := $(if $(filter true 1,$(CI)),true,false)

help: # This list
	@echo 'make TARGET, where TARGET is'
	@sed -n 's/^\([a-z]*\):[^#]*# \(.*\)/    \1\t\2/p' Makefile | expand -t 16
	@echo 'PREFIX and DESTDIR are heeded by install. See CONTRIBUTING.md for parts of the tests.'

all: build

build: # Build for development in build/
	@tools/deps build
	@test -f build/build.ninja || meson setup build -Dwerror=$(WERROR) >/dev/null
	@ninja -C build --quiet

release: # Build for use in build-release/
	@tools/deps build
	@test -f build-release/build.ninja || meson setup build-release --buildtype=release -Db_ndebug=true \
		-Dtests=disabled -Dwerror=$(WERROR) >/dev/null
	@ninja -C build-release --quiet

run: release # Show a graph of elements at work on real packets
	@if [ -x tools/demo ]; then WEIR=build-release/weir tools/demo; fi

test: # Build twice (plain; ASan + UBSan) and run all tests; CI=true adds fuzzing
	@tools/deps build test
	@tools/test

bench: release # Measure; takes minutes and wants a quiet machine
	@meson test -C build-release --benchmark --verbose --num-processes=1

lint: # Check formatting, the arrows between rooms, and other rules of the house
	@tools/deps build test
	@tools/lint

format: # Mend what lint can mend: formatting
	@tools/deps build test
	@tools/lint --fix

deps: # Install what is missing with apt, for building and testing
	@tools/deps build test

install: release # Install to PREFIX (/usr/local)
	@meson configure build-release -Dprefix=$(abspath $(PREFIX))
	@DESTDIR='$(DESTDIR)' meson install -C build-release --quiet

deb: # Make a Debian package, in build-deb/
	@tools/deps build test
	@packaging/make-deb

clean: # Remove all that was built
	@rm -rf build build-asan build-release build-fuzz build-deb build-demo
