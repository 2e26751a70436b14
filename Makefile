# make run    install what is missing, build, start, load the sample data
# make test   install what tests need, build with sanitizers, run every test
# make test-long  the same with ten times the rounds of all that is random, and the image: hours
# make bench  install what it needs, measure beside SQLite, DuckDB, NumPy, pandas and others
# make        build only
# make deps   install the Debian packages that building and running need; FOR=test, FOR=bench: those too
# make install    build, and copy below PREFIX (/usr/local), SYSCONFDIR (/etc) and UNITDIR, all of them
#             below DESTDIR; settings that are there stay, and make uninstall leaves them
# The recipes that are more than a line live in scripts/.

BUILD ?= build
MODE  ?= release
ifeq ($(origin CC),default)
CC := gcc
endif
# MODE=defects builds the programs that tests/crash has to find wanting, of release's objects.
KIND  := $(MODE:defects=release)
OUT   := $(BUILD)/$(KIND)

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
UNITDIR    ?= $(PREFIX)/lib/systemd/system
PROGRAM     = $(DESTDIR)$(PREFIX)/bin/playmeter
MAN_PAGE    = $(DESTDIR)$(PREFIX)/share/man/man1/playmeter.1
UNIT_FILE   = $(DESTDIR)$(UNITDIR)/playmeter.service
SETTINGS    = $(DESTDIR)$(SYSCONFDIR)/playmeter/playmeter.yaml

LIBS     := libcurl libidn2 libcrypto sqlite3 json-c yaml-0.1 libutf8proc zlib libsodium
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wno-string-conversion \
            -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wundef -Werror
# What strangers reach is hardened: a buffer that is overrun ends the process, a jump over the stack's
# guard page faults, and nothing that holds an address can be written once the program runs.  The
# program tells with which options each file was compiled, for the test of this.  The sanitizers
# check more themselves, and miss what a fortified function hides from them.
HARDENED := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
            -fstack-clash-protection -fPIE
LDFLAGS_release := -pie -Wl,-z,relro,-z,now,-z,noexecstack
CFLAGS_release  := -O2 -g -grecord-gcc-switches $(HARDENED)
CFLAGS_asan    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
                  -fno-sanitize-recover=undefined -DPLAYMETER_SANITIZED
CFLAGS_fuzz    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined,fuzzer-no-link \
                  -fno-sanitize-recover=undefined -DPLAYMETER_SANITIZED
CPPFLAGS += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Iworker -I$(OUT)
# -fsigned-char: char is unsigned on arm64, and a byte has to mean the same everywhere.
CFLAGS   += -std=gnu17 -fno-strict-aliasing -fsigned-char -pthread $(WARNINGS) \
            $(CFLAGS_$(KIND)) $(shell pkg-config --cflags $(LIBS) 2>/dev/null)
LDFLAGS  += $(LDFLAGS_$(KIND))
LDLIBS   += -lfcgi -lcrack $(shell pkg-config --libs $(LIBS) 2>/dev/null) -lm -pthread

SOURCES := $(sort $(wildcard worker/*/*.c))
EMBEDS  := queries migrations nginx openapi conf
OBJECTS := $(SOURCES:worker/%.c=$(OUT)/%.o) $(EMBEDS:%=$(OUT)/embed/%.o)
UNIT    := $(patsubst tests/unit/%.c,$(OUT)/unit/%,$(wildcard tests/unit/test_*.c))
FUZZ    := $(patsubst tests/fuzz/%.c,$(OUT)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
DEFECTS := $(patsubst tests/crash/defects/%.patch,$(BUILD)/defects/%/playmeter,\
             $(wildcard tests/crash/defects/*.patch))

all: $(if $(filter defects,$(MODE)),$(DEFECTS),$(OUT)/playmeter)

$(OUT)/playmeter: $(OUT)/main.o $(OBJECTS)
	@echo "  link $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Flags stand in the Makefile: what was built with others is built again.
$(OUT)/%.o: worker/%.c Makefile
	@mkdir -p $(@D)
	@echo "  cc   $@"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Files that travel inside the binary, a table per folder.
EMBED_queries    := $(sort $(wildcard worker/store/queries/*.sql))
EMBED_migrations := $(sort $(wildcard worker/store/migrations/*.sql))
EMBED_nginx      := $(sort $(wildcard nginx/*.conf nginx/*.types))
EMBED_openapi    := $(wildcard worker/api/openapi.yaml)
EMBED_conf       := $(sort $(wildcard conf/*.yaml))
.SECONDEXPANSION:
$(OUT)/embed/%.c: scripts/embed $$(EMBED_$$*)
	@mkdir -p $(@D)
	@scripts/embed $$(echo $* | tr a-z A-Z) $(EMBED_$*) >$@.new && mv $@.new $@
$(OUT)/embed/%.o: $(OUT)/embed/%.c Makefile
	@echo "  cc   $@"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(OUT)/unit/%: tests/unit/%.c $(OBJECTS)
	@mkdir -p $(@D)
	@echo "  cc   $@"
	@$(CC) $(CPPFLAGS) -Itests -Itests/unit $(CFLAGS) $(LDFLAGS) -MMD -MP -o $@ $< $(OBJECTS) $(LDLIBS) -lcmocka
$(OUT)/fuzz/%: tests/fuzz/%.c $(OBJECTS)
	@mkdir -p $(@D)
	@echo "  cc   $@"
	@$(CC) $(CPPFLAGS) -Itests $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -MMD -MP -o $@ $< $(OBJECTS) $(LDLIBS)
$(OUT)/bench/%: tests/bench/%.c $(OBJECTS)
	@mkdir -p $(@D)
	@echo "  cc   $@"
	@$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< $(OBJECTS) $(LDLIBS)

# A defect is a patch of one file, of which a patched copy takes the place; no line may have changed
# around what it changes, or the build fails.
PATCHED = $(shell sed -n 's|^+++ b/worker/\(.*\)\.c$$|\1|p' $<)
$(BUILD)/defects/%/playmeter: tests/crash/defects/%.patch $(OUT)/main.o $(OBJECTS)
	@mkdir -p $(@D)
	@echo "  cc   $@"
	@patch -s --force --fuzz=0 --read-only=ignore -o $(@D)/patched.c worker/$(PATCHED).c $<
	@$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $(@D)/patched.c \
		$(filter-out $(OUT)/$(PATCHED).o,$(filter %.o,$^)) $(LDLIBS)

unit: $(UNIT)
fuzzers: $(FUZZ)

deps:
	@scripts/install-deps $(FOR)
# The unit names the program and the settings where they come to lie.
install: all
	install -D -m 755 '$(OUT)/playmeter' '$(PROGRAM)'
	install -D -m 644 conf/playmeter.1 '$(MAN_PAGE)'
	sed 's|/usr/local/bin/|$(PREFIX)/bin/|; s|/etc/playmeter/|$(SYSCONFDIR)/playmeter/|' \
	    conf/playmeter.service | install -D -m 644 /dev/stdin '$(UNIT_FILE)'
	[ -e '$(SETTINGS)' ] || install -D -m 644 conf/playmeter.yaml '$(SETTINGS)'
uninstall:
	rm -f '$(PROGRAM)' '$(MAN_PAGE)' '$(UNIT_FILE)'
run:
	@scripts/run
test:
	@scripts/test
test-long:
	@scripts/test --long
lint:
	@scripts/lint
bench:
	@scripts/install-deps bench
	@$(MAKE) --no-print-directory all
	@tests/bench/bench.py
format:
	clang-format -i $$(git ls-files '*.[ch]')
clean:
	rm -rf $(BUILD)

-include $(SOURCES:worker/%.c=$(OUT)/%.d) $(OUT)/main.d $(UNIT:=.d) $(FUZZ:=.d)

.PHONY: all unit fuzzers deps install uninstall run test test-long lint bench format clean
.DELETE_ON_ERROR:
