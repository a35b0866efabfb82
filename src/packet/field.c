// SPDX-License-Identifier: Apache-2.0
// The registry of the platform's own fields: the tables of field_*.c, one behind the other.
#include "packet/field_table.h"

#include <assert.h>
#include <string.h>

static const struct {
	const struct field *fields;
	const unsigned *count;
} tables[] = {
	{ field_link, &field_link_count },
	{ field_network, &field_network_count },
	{ field_transport, &field_transport_count },
	{ field_tunnel, &field_tunnel_count },
	{ field_flow, &field_flow_count },
};
enum { TABLES = sizeof(tables) / sizeof(*tables) };

const struct field *field_at(unsigned index)
{
	for (unsigned i = 0; i < TABLES; index -= *tables[i].count, i++)
		if (index < *tables[i].count)
			return &tables[i].fields[index];
	return NULL;
}

unsigned field_index(const struct field *field)
{
	for (unsigned i = 0, before = 0; i < TABLES; before += *tables[i].count, i++)
		if (field >= tables[i].fields && field < tables[i].fields + *tables[i].count)
			return before + (unsigned)(field - tables[i].fields);
	assert(!"a field of the platform");
	return 0;
}

const struct field *field_find(const char *name)
{
	const struct field *field;

	for (unsigned i = 0; (field = field_at(i)); i++)
		if (!strcmp(field->name, name))
			return field;
	return NULL;
}
