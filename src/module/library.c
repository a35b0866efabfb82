// SPDX-License-Identifier: Apache-2.0
#include "module/library.h"

#include "module/check.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

struct library *library_create(void)
{
	struct arena *arena = arena_create();
	struct library *library = arena_new(arena, struct library);

	library->arena = arena;
	return library;
}

void library_destroy(struct library *library)
{
	if (!library)
		return;
	list_each (module, &library->modules)
		if (module->handle)
			dlclose(module->handle);
	arena_destroy(library->arena);
}

void library_add(struct library *library, const struct weir_module *descriptor)
{
	*list_add(library->arena, &library->modules) = (struct module){ .descriptor = descriptor };
}

static int refuse(struct diag *diag, const char *path, int err, const char *why)
{
	diag_error(diag, (struct place){ .file = path }, "this is no module that can be loaded: %s", why);
	return err;
}

// dlopen says the path first; the reader has it already
static const char *reason_of(const char *error, const char *path)
{
	size_t length = strlen(path);

	if (error[0] == '.' && error[1] == '/')
		error += 2;

	return !strncmp(error, path, length) && error[length] == ':' ? error + length + 2 : error;
}

static int add_opened(struct library *library, void *handle, const char *path, struct diag *diag)
{
	const struct weir_module *descriptor = dlsym(handle, "weir_module");
	const struct module *other;
	int err;

	if (!descriptor || (uintptr_t)descriptor % _Alignof(struct weir_module))
		return refuse(diag, path, -ENOEXEC, "it exports no weir_module (WEIR_MODULE at the end of the file)");
	err = check_module(descriptor, path, diag);
	if (err)
		return err;
	other = library_module(library, descriptor->name);
	if (other) {
		diag_warn(diag, (struct place){ .file = path },
			"module \"%s\" is already there from %s; this one is passed over",
			descriptor->name, other->path ? other->path : "the platform itself");
		return -EEXIST;
	}
	*list_add(library->arena, &library->modules) = (struct module){
		.descriptor = descriptor,
		.path = arena_text(library->arena, path, strlen(path)),
		.handle = handle,
	};
	return 0;
}

int library_load(struct library *library, const char *path, struct diag *diag)
{
	const char *why;
	void *handle;
	int err = elf_inspect(path, &why);

	if (err)
		return refuse(diag, path, err, why);
	// without a slash it would be looked for among the system's libraries
	handle = dlopen(strchr(path, '/') ? path : arena_print(diag->arena, "./%s", path), RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return refuse(diag, path, -ENOEXEC, arena_print(diag->arena, "%s", reason_of(dlerror(), path)));
	err = add_opened(library, handle, path, diag);
	if (err)
		dlclose(handle);
	return err;
}

static int is_module(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 3 && !strcmp(entry->d_name + length - 3, ".so");
}

static void load_directory(struct library *library, const char *directory, struct diag *diag)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, is_module, alphasort);

	for (int i = 0; i < count; i++) {
		library_load(library, arena_print(diag->arena, "%s/%s", directory, entries[i]->d_name), diag);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

void library_load_path(struct library *library, const char *directories, struct diag *diag)
{
	for (const char *from = directories; *from;) {
		size_t length = strcspn(from, ":");

		if (length)
			load_directory(library, arena_text(diag->arena, from, length), diag);
		from += length + (from[length] == ':');
	}
}

const struct weir_class *library_class(const struct library *library, const char *name, const struct module **module)
{
	list_each (one, &library->modules)
		for (const struct weir_class *const *class = one->descriptor->classes; *class; class++)
			if (!strcmp((*class)->name, name)) {
				if (module)
					*module = one;
				return *class;
			}
	return NULL;
}

const struct module *library_module(const struct library *library, const char *name)
{
	list_each (one, &library->modules)
		if (!strcmp(one->descriptor->name, name))
			return one;
	return NULL;
}
