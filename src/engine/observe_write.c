// SPDX-License-Identifier: Apache-2.0
// Where observed events are written to, and how.
#include "engine/observe_inside.h"

#include "event/filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

// ---- what the writers share

bool observation_has(const struct weir_part *part, const char *payload)
{
	uint64_t kept;

	if (part->type != WEIR_VIEW && part->type != WEIR_STRING)
		return filter_part_is_there(part, payload + part->offset);
	memcpy(&kept, payload + part->offset, sizeof(kept));
	return kept != TEXT_ABSENT;
}

bool observation_has_ports(uint8_t protocol)
{
	return protocol == 6 || protocol == 17 || protocol == 132 || protocol == 136;
}

void observation_address(char text[INET6_ADDRSTRLEN], const struct weir_addr *addr)
{
	if (weir_is_ip4(addr))
		inet_ntop(AF_INET, addr->bytes + 12, text, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, addr->bytes, text, INET6_ADDRSTRLEN);
}

int observe_format_find(const char *name)
{
	static const char *const names[OBSERVE_FORMATS] = {
		[OBSERVE_JSON] = "json", [OBSERVE_LINES] = "lines", [OBSERVE_COLOUR] = "colour",
		[OBSERVE_STREAMS] = "streams"
	};

	for (int i = 0; i < OBSERVE_FORMATS; i++)
		if (!strcmp(name, names[i]))
			return i;
	return -1;
}

// ---- files

struct observe_output {
	struct observe_output *next;
	char *path;
	FILE *file;
	struct observe_folder *folder; // in place of the file
	unsigned users;
};

static struct observe_output *outputs;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct observe_output *find_output(const char *path, bool is_folder)
{
	for (struct observe_output *output = outputs; output; output = output->next)
		if (!strcmp(output->path, path) && !!output->folder == is_folder)
			return output;
	return NULL;
}

static int open_path(struct observe_output *output, const char *path, bool is_folder, struct port_error *why)
{
	int err = 0;

	output->path = strdup(path);
	if (!output->path)
		return -ENOMEM;
	if (is_folder)
		return observe_folder_open(&output->folder, path, why);
	output->file = strcmp(path, "-") ? fopen(path, "w") : stdout;
	if (!output->file) {
		err = -errno;
		snprintf(why->text, sizeof(why->text), "%s cannot be written: %s", path, strerror(-err));
	}
	return err;
}

int observe_open(struct observe_output **made, const char *path, enum observe_format format, struct port_error *why)
{
	bool is_folder = format == OBSERVE_STREAMS;
	struct observe_output *output = find_output(path, is_folder);
	int err;

	if (output) {
		output->users++;
		*made = output;
		return 0;
	}
	output = calloc(1, sizeof(*output));
	err = output ? open_path(output, path, is_folder, why) : -ENOMEM;
	if (err) {
		if (output)
			free(output->path);
		free(output);
		return err;
	}
	output->users = 1;
	output->next = outputs;
	outputs = output;
	*made = output;
	return 0;
}

void observe_close(struct observe_output **made)
{
	struct observe_output *output = *made;

	*made = NULL;
	if (!output || --output->users)
		return;
	for (struct observe_output **at = &outputs; *at; at = &(*at)->next)
		if (*at == output) {
			*at = output->next;
			break;
		}
	if (output->folder)
		observe_folder_close(&output->folder);
	else if (output->file != stdout)
		fclose(output->file);
	else
		fflush(stdout);
	free(output->path);
	free(output);
}

void observe_flush(struct observe_output *output)
{
	if (output->file)
		fflush(output->file);
}

void observe_write(struct observe_output *output, enum observe_format format, const struct plan_observer *observer,
	struct observer_element *self, const struct weir_signal *signals, const struct observation *record)
{
	const struct plan_signal *signal = signals[record->signal].plan;

	pthread_mutex_lock(&lock);
	if (format == OBSERVE_JSON)
		observe_json(output->file, observer, signal->type, record);
	else if (format == OBSERVE_STREAMS)
		observe_stream(output->folder, self, signal->type, record);
	else
		observe_line(output->file, observer, signal->type, plan_root(signal)->type->name, record,
			format == OBSERVE_COLOUR);
	pthread_mutex_unlock(&lock);
}

void observe_write_lost(struct observe_output *output, enum observe_format format, uint64_t count)
{
	pthread_mutex_lock(&lock);
	if (format == OBSERVE_JSON)
		observe_json_lost(output->file, count);
	else if (format != OBSERVE_STREAMS) // where it is counted
		observe_line_lost(output->file, count, format == OBSERVE_COLOUR);
	pthread_mutex_unlock(&lock);
}
