// SPDX-License-Identifier: Apache-2.0
// weir new module NAME: a folder with a module that works as it stands: code, page, packet table, build.
#include "cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <sys/stat.h>

// In the templates @name@ is the module, @Name@ its class.
static const char code[] =
	"// @name@ - drops packets that have little time to live left\n"
	"#include <weir.h>\n"
	"\n"
	"struct @name@ {\n"
	"\tuint8_t               least;   // a setting: @Name@(least 5)\n"
	"\tWEIR_COLUMN(uint8_t)  ttl;     // a field of each packet of the vector\n"
	"\tweir_counter          too_low; // the name of a drop\n"
	"};\n"
	"\n"
	"// `in` is what has come: a bit for each packet. Each leaves by an output or is dropped.\n"
	"static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])\n"
	"{\n"
	"\tstruct @name@ *self = weir_self(call);\n"
	"\tconst uint8_t *ttl = weir_column(v, self->ttl);\n"
	"\tweir_mask low = in & weir_has(v, self->ttl) & weir_where (i, ttl[i] < self->least);\n"
	"\n"
	"\tweir_drop(call, low, &self->too_low);\n"
	"\tout[0] = in & ~low;\n"
	"}\n"
	"\n"
	"WEIR_CLASS(@Name@, @name@,\n"
	"\t.about = \"drops packets that have little time to live left\",\n"
	"\t.by = WEIR_ANY,\n"
	"\tWEIR_MEMBERS(\n"
	"\t\tWEIR_SETTING(@name@, least, \"2\", .min = 1, .max = 255, .about = \"the least time to live "
	"that passes\"),\n"
	"\t\tWEIR_READS(@name@, ttl, \"ip.ttl\"),\n"
	"\t\tWEIR_DROPS(@name@, too_low, .about = \"packets whose time to live was too low\")),\n"
	"\t.process = process);\n"
	"\n"
	"WEIR_MODULE(\"@name@\", \"0.1.0\", &@Name@);\n";

static const char page[] =
	"# @Name@\n"
	"\n"
	"Drops packets that have little time to live left.\n"
	"\n"
	"    in -> @Name@(least 5) -> out\n"
	"\n"
	"| setting | meaning | default |\n"
	"|---|---|---|\n"
	"| least | the least time to live (`ip.ttl`) that passes, 1 to 255 | 2 |\n"
	"\n"
	"What is not IPv4 passes. Counter: `too_low`, packets dropped. Reads `ip.ttl`.\n";

static const char table[] =
	"== a packet with too little time to live is dropped and counted\n"
	"graph: in -> e :: @Name@(least 5) -> out0;\n"
	"> Ether()/IP(ttl=9)/UDP()\n"
	"> Ether()/IP(ttl=4)/UDP()\n"
	"> Ether()/ARP()\n"
	"out0: Ether()/IP(ttl=9)/UDP()\n"
	"out0: Ether()/ARP()\n"
	"drop: e.too_low 1\n"
	"\n"
	"== the default\n"
	"graph: in -> e :: @Name@ -> out0;\n"
	"> Ether()/IP(ttl=2)/UDP()\n"
	"> Ether()/IP(ttl=1)/UDP()\n"
	"out0: Ether()/IP(ttl=2)/UDP()\n"
	"drop: e.too_low 1\n";

static const char makefile[] =
	"# Builds against an installed Weir; PKG_CONFIG_PATH=.../build/packaging builds against a source tree.\n"
	"CFLAGS ?= -O2 -g -Wall -Wextra\n"
	"\n"
	"@name@.so: @name@.c\n"
	"\t$(CC) -std=gnu2x $(CFLAGS) $$(pkg-config --cflags weir) -fPIC -shared -o $@ $< $$(pkg-config --libs weir)\n"
	"\tweir check $@\n"
	"\n"
	"test: @name@.so\n"
	"\tWEIR_MODULES=.:$$(pkg-config --variable=modulesdir weir) weir-packets @name@.packets\n"
	"\n"
	"clean:\n"
	"\trm -f @name@.so\n"
	"\n"
	".PHONY: test clean\n";

static const char graph[] =
	"// Try it: make && WEIR_MODULES=.:$(pkg-config --variable=modulesdir weir) weir run "
	"example.weir -i in.pcap -o out.pcap\n"
	"in :: FromDump;\n"
	"out :: ToDump;\n"
	"\n"
	"in -> @Name@(least 5) -> out;\n";

static int usage(FILE *to, int status)
{
	fprintf(to,
		"usage: weir new module NAME\n"
		"Writes the folder NAME with a module that works: NAME.c, its page NAME.md, its packet "
		"table NAME.packets, a\n"
		"graph and a Makefile. NAME is lower case: letters, digits, _.\n");
	return status;
}

static void write_filled(FILE *to, const char *text, const char *name, const char *class)
{
	for (const char *mark; (mark = strchr(text, '@')); text = mark) {
		fwrite(text, 1, (size_t)(mark - text), to);
		if (!strncmp(mark, "@name@", 6) || !strncmp(mark, "@Name@", 6)) {
			fputs(mark[1] == 'n' ? name : class, to);
			mark += 6;
		} else {
			fputc(*mark++, to);
		}
	}
	fputs(text, to);
}

static bool write_file(const char *path, const char *text, const char *name, const char *class)
{
	FILE *to = fopen(path, "wx");
	bool is_well = to;

	if (to) {
		write_filled(to, text, name, class);
		is_well = !fclose(to);
	}
	if (!is_well)
		fprintf(stderr, "weir: %s cannot be written: %s\n", path, strerror(errno));
	return is_well;
}

// "ttl_guard" is the class TtlGuard
static void class_of(const char *name, char *class)
{
	bool starts = true;

	for (; *name; name++) {
		if (*name == '_') {
			starts = true;
			continue;
		}
		*class ++ = starts ? (char)toupper((unsigned char)*name) : *name;
		starts = false;
	}
	*class = '\0';
}

static bool is_name(const char *name)
{
	if (!islower((unsigned char)*name) || strlen(name) > 40)
		return false;
	for (; *name; name++)
		if (!islower((unsigned char)*name) && !isdigit((unsigned char)*name) && *name != '_')
			return false;
	return true;
}

static bool write_all(struct arena *arena, const char *name)
{
	const struct {
		const char *path, *text;
	} files[] = {
		{ arena_print(arena, "%s/%s.c", name, name), code },
		{ arena_print(arena, "%s/%s.md", name, name), page },
		{ arena_print(arena, "%s/%s.packets", name, name), table },
		{ arena_print(arena, "%s/Makefile", name), makefile },
		{ arena_print(arena, "%s/example.weir", name), graph },
	};
	char class[64];

	class_of(name, class);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (!write_file(files[i].path, files[i].text, name, class))
			return false;
	printf("%s/ holds the module \"%s\" with the element class %s.\n"
	       "Next: cd %s && make test\n",
		name, name, class, name);
	return true;
}

int cli_new(int count, char **words)
{
	struct arena *arena;
	bool is_well;

	if (count > 1 && !strcmp(words[1], "--help"))
		return usage(stdout, CLI_FINE);
	if (count != 3 || strcmp(words[1], "module"))
		return usage(stderr, CLI_USAGE);
	if (!is_name(words[2])) {
		fprintf(stderr,
			"weir: \"%s\" is no name of a module: lower-case letters, digits and _, at most "
			"40, a letter first\n",
			words[2]);
		return CLI_USAGE;
	}
	if (mkdir(words[2], 0777) && errno != EEXIST) {
		fprintf(stderr, "weir: the folder %s cannot be made: %s\n", words[2], strerror(errno));
		return CLI_FAILED;
	}
	arena = arena_create();
	is_well = write_all(arena, words[2]);
	arena_destroy(arena);
	return is_well ? CLI_FINE : CLI_FAILED;
}
