// SPDX-License-Identifier: Apache-2.0
// Reads a shared object's dynamic section before it is opened: a module is data, so nothing of it may run at that
// moment. Refused are initialisers, finalisers and indirect functions.
#include "module/library.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct image {
	const uint8_t *bytes;
	size_t size;
};

// Sanitizers put constructors of their own into every object.
#if defined(__SANITIZE_ADDRESS__)
static const bool may_have_constructors = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
static const bool may_have_constructors = true;
#else
static const bool may_have_constructors = false;
#endif
#else
static const bool may_have_constructors = false;
#endif

static const void *at(struct image image, uint64_t offset, uint64_t size)
{
	return offset <= image.size && size <= image.size - offset ? image.bytes + offset : NULL;
}

static const char *unwelcome(Elf64_Sxword tag)
{
	static const struct {
		Elf64_Sxword tag;
		const char *why;
	} tags[] = {
		{ DT_INIT, "it has an initialiser (_init): build it with -nostartfiles" },
		{ DT_FINI, "it has a finaliser (_fini): build it with -nostartfiles" },
		{ DT_INIT_ARRAY, "it has constructors: a module is data and runs nothing when it is opened" },
		{ DT_FINI_ARRAY, "it has destructors: a module is data and runs nothing when it is closed" },
		{ DT_PREINIT_ARRAY, "it has constructors: a module is data and runs nothing when it is opened" },
	};

	for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++)
		if (tags[i].tag == tag && !may_have_constructors)
			return tags[i].why;
	return NULL;
}

static const char *inspect_dynamic(struct image image, const Elf64_Phdr *segment)
{
	const Elf64_Dyn *dynamic;
	const char *why;

	for (uint64_t i = 0; i < segment->p_filesz / sizeof(*dynamic); i++) {
		dynamic = at(image, segment->p_offset + i * sizeof(*dynamic), sizeof(*dynamic));
		if (!dynamic || dynamic->d_tag == DT_NULL)
			return dynamic ? NULL : "its dynamic section is cut";
		why = unwelcome(dynamic->d_tag);
		if (why)
			return why;
	}
	return NULL;
}

static const char *inspect_relocations(struct image image, const Elf64_Shdr *section)
{
	const Elf64_Rela *rela;

	for (uint64_t i = 0; i < section->sh_size / sizeof(*rela); i++) {
		rela = at(image, section->sh_offset + i * sizeof(*rela), sizeof(*rela));
		if (!rela)
			return "its relocations are cut";
		if (ELF64_R_TYPE(rela->r_info) == R_X86_64_IRELATIVE)
			return "it has indirect functions (ifunc), which run when it is opened";
	}
	return NULL;
}

static const char *inspect(struct image image)
{
	const Elf64_Ehdr *header = at(image, 0, sizeof(*header));
	const char *why = NULL;
	bool is_dynamic = false;

	if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG))
		return "it is no ELF file";
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_type != ET_DYN || header->e_machine != EM_X86_64)
		return "it is no shared object for x86-64";
	for (unsigned i = 0; i < header->e_phnum && !why; i++) {
		const Elf64_Phdr *segment = at(image, header->e_phoff + i * sizeof(*segment), sizeof(*segment));

		if (!segment)
			return "its program headers are cut";
		is_dynamic = is_dynamic || segment->p_type == PT_DYNAMIC;
		if (segment->p_type == PT_DYNAMIC)
			why = inspect_dynamic(image, segment);
		else if (segment->p_type == PT_LOAD && !at(image, segment->p_offset, segment->p_filesz))
			why = "it is cut";
	}
	for (unsigned i = 0; i < header->e_shnum && !why; i++) {
		const Elf64_Shdr *section = at(image, header->e_shoff + i * sizeof(*section), sizeof(*section));

		if (section && section->sh_type == SHT_RELA)
			why = inspect_relocations(image, section);
	}
	return why ? why : is_dynamic ? NULL : "it is no shared object (nothing to link dynamically)";
}

int elf_inspect(const char *path, const char **why)
{
	struct image image = { 0 };
	struct stat status;
	int file = open(path, O_RDONLY | O_CLOEXEC), err = 0;

	*why = NULL;
	if (file < 0 || fstat(file, &status) < 0)
		err = -errno;
	else if (!S_ISREG(status.st_mode) || status.st_size < (off_t)sizeof(Elf64_Ehdr))
		*why = "it is no ELF file";
	if (!err && !*why) {
		image.size = (size_t)status.st_size;
		image.bytes = mmap(NULL, image.size, PROT_READ, MAP_PRIVATE, file, 0);
		err = image.bytes == MAP_FAILED ? -errno : 0;
	}
	if (!err && !*why) {
		*why = inspect(image);
		munmap((void *)image.bytes, image.size);
	}
	if (file >= 0)
		close(file);
	if (err)
		*why = strerror(-err);
	return *why ? (err ? err : -ENOEXEC) : 0;
}
