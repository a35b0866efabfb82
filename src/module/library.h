// SPDX-License-Identifier: Apache-2.0
// The library of modules: shared objects that export one descriptor each, and the platform's own classes. A shared
// object that could run code when it is opened is refused before it is opened.
#ifndef MODULE_LIBRARY_H
#define MODULE_LIBRARY_H

#include "lib/diag.h"

#include <weir.h>

struct module {
	const struct weir_module *descriptor;
	const char *path; // NULL: built in
	void *handle;
};

struct library {
	struct arena *arena;
	LIST(struct module) modules;
};

struct library *library_create(void);
void library_destroy(struct library *library);
void library_add(struct library *library, const struct weir_module *descriptor); // built in
// Loads one shared object. 0, or -errno after one message.
int library_load(struct library *library, const char *path, struct diag *diag);
// Loads every *.so of the directories in a colon-separated list; a directory that is not there is passed over.
void library_load_path(struct library *library, const char *directories, struct diag *diag);
const struct weir_class *library_class(const struct library *library, const char *name, const struct module **module);
const struct module *library_module(const struct library *library, const char *name);

// Does a shared object run code of its own when it is opened (constructors, ifuncs)? 0: no; else -errno and the reason.
int elf_inspect(const char *path, const char **why);

#endif
