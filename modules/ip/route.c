// SPDX-License-Identifier: Apache-2.0
#include "route.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { LONGEST = 256,
	MOST_OUTPUTS = 64,
	FIRST_ROOM = 1024 };

struct reading {
	struct weir_start *start;
	struct weir_routes *routes;
	struct hops *hops;
	uint32_t room;
	bool is_ip4;
	int argument; // -1: in the file
	const char *file; // with the line
	unsigned line;
};

static int refuse(const struct reading *reading, const char *what, const char *text)
{
	if (reading->argument >= 0)
		return weir_refuse(reading->start, reading->argument, "%s: %s", text, what);
	return weir_refuse(reading->start, -1, "%s:%u: %s: %s", reading->file, reading->line, text, what);
}

// Routes with the same next hop and output share one.
static uint32_t hop_of(struct reading *reading, const struct hop *hop)
{
	struct hops *hops = reading->hops;
	struct hop *larger;

	for (uint32_t i = hops->count; i-- > 0 && i + 64 >= hops->count;)
		if (!memcmp(&hops->at[i], hop, sizeof(*hop)))
			return i;
	if (hops->count == reading->room) {
		larger = weir_memory(reading->start, sizeof(*larger) * reading->room * 2);
		memcpy(larger, hops->at, sizeof(*larger) * hops->count);
		hops->at = larger;
		reading->room *= 2;
	}
	hops->at[hops->count] = *hop;
	return hops->count++;
}

static unsigned split(char *text, char *words[], unsigned most)
{
	unsigned count = 0;

	for (char *word = strtok_r(text, " \t\r\n", &text); word; word = strtok_r(NULL, " \t\r\n", &text)) {
		if (count == most)
			return most + 1;
		words[count++] = word;
	}
	return count;
}

static int read_one(struct reading *reading, const char *text)
{
	char copy[LONGEST], *words[3];
	struct weir_prefix prefix;
	struct hop hop;
	uint64_t output;
	unsigned count;
	int err;

	memset(&hop, 0, sizeof(hop));
	if (strlen(text) >= sizeof(copy))
		return refuse(reading, "too long", text);
	strcpy(copy, text);
	count = split(copy, words, 3);
	if (count < 2 || count > 3)
		return refuse(reading, "PREFIX [GATEWAY] OUTPUT is expected", text);
	if (!weir_parse_prefix(words[0], &prefix) || weir_is_ip4(&prefix.addr) != reading->is_ip4)
		return refuse(reading,
			reading->is_ip4 ? "no IPv4 prefix (10.0.0.0/8)"
					: "no IPv6 prefix (2001:db8::/32)",
			words[0]);
	hop.is_direct = count == 2 || !strcmp(words[1], "-");
	if (!hop.is_direct &&
		(!weir_parse_addr(words[1], &hop.gateway) ||
			weir_is_ip4(&hop.gateway) != reading->is_ip4))
		return refuse(reading, "no address of a gateway", words[1]);
	if (!weir_parse_number(words[count - 1], &output) || output >= MOST_OUTPUTS)
		return refuse(reading, "no number of an output (0 to 63)", words[count - 1]);
	hop.output = (uint32_t)output;
	if (hop.output >= reading->hops->outputs)
		reading->hops->outputs = hop.output + 1;
	err = weir_routes_add(reading->routes, &prefix, hop_of(reading, &hop));
	if (err == -EEXIST)
		return refuse(reading, "there is a route for this prefix already", words[0]);
	return err ? refuse(reading, "no room for more routes", words[0]) : 0;
}

static int read_lines(struct reading *reading, FILE *file)
{
	char *line = NULL;
	size_t room = 0;
	int err = 0;

	while (!err && getline(&line, &room, file) >= 0) {
		reading->line++;
		line[strcspn(line, "#\r\n")] = '\0';
		if (line[strspn(line, " \t")])
			err = read_one(reading, line + strspn(line, " \t"));
	}
	free(line);
	return err;
}

static int read_file(struct reading *reading, const char *path)
{
	FILE *file = fopen(path, "r");
	int err;

	if (!file)
		return weir_refuse(reading->start, -1, "%s: %s", path, strerror(errno));
	reading->argument = -1;
	reading->file = path;
	err = read_lines(reading, file);
	if (!err && ferror(file))
		err = weir_refuse(reading->start, -1, "%s: it cannot be read (is it a file?)", path);
	fclose(file);
	return err;
}

int route_read(struct weir_start *start, struct weir_routes *routes, struct hops *hops,
	const struct weir_texts *arguments, const char *file, bool is_ip4)
{
	struct reading reading = { start, routes, hops, FIRST_ROOM, is_ip4, 0, NULL, 0 };
	int err = 0;

	hops->at = weir_memory(start, sizeof(*hops->at) * FIRST_ROOM);
	for (uint32_t i = 0; !err && i < arguments->count; i++) {
		reading.argument = (int)i;
		err = read_one(&reading, arguments->text[i]);
	}
	if (!err && *file)
		err = read_file(&reading, file);
	if (!err && !hops->count)
		err = weir_refuse(start, -1, "it has no routes; they are written so: %s",
			is_ip4 ? "10.0.0.0/8 1, 0.0.0.0/0 10.0.0.1 0" : "2001:db8::/32 1, ::/0 fe80::1 0");
	if (!err)
		weir_outputs(start, hops->outputs);
	return err;
}
