// SPDX-License-Identifier: Apache-2.0
// weir: the command. One file per subcommand in cli/.
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

static const struct command {
	const char *name, *about;
	int (*run)(int count, char **words);
} commands[] = {
	{ "run", "runs a graph on interfaces or captures", cli_run },
	{ "watch", "tells what happens in captures or on interfaces", cli_watch },
	{ "check", "says what is wrong with a graph or a module, without running it", cli_check },
	{ "explain", "shows the plan of a graph: order, what was inserted, layout, cost", cli_explain },
	{ "modules", "lists element classes, or describes one", cli_modules },
	{ "bench", "measures graphs: cycles per packet over the source of packets", cli_bench },
	{ "new", "writes a new module that works: code, page, test, build", cli_new },
};

static int usage(FILE *to, int status)
{
	fprintf(to, "usage: weir COMMAND [ARGUMENT...]\n\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].about);
	fprintf(to, "\n`weir COMMAND --help` tells more. `weir --version` prints the version.\n");
	return status;
}

int main(int count, char **words)
{
	if (count < 2)
		return usage(stderr, CLI_USAGE);
	if (!strcmp(words[1], "--help") || !strcmp(words[1], "-h") || !strcmp(words[1], "help"))
		return usage(stdout, CLI_FINE);
	if (!strcmp(words[1], "--version")) {
		printf("weir %s\n", WEIR_VERSION);
		return CLI_FINE;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(words[1], commands[i].name))
			return commands[i].run(count - 1, words + 1);
	fprintf(stderr, "weir: there is no command \"%s\"\n\n", words[1]);
	return usage(stderr, CLI_USAGE);
}
