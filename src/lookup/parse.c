// SPDX-License-Identifier: Apache-2.0
// Addresses, prefixes and numbers as people write them in settings and files. Strict: the whole
// text or nothing; nothing is written unless it is one.
#include <weir.h>

#include <arpa/inet.h>

static bool parse_ip(const char *text, struct weir_addr *addr, unsigned *bits)
{
	struct weir_addr found = weir_addr4(0);

	*bits = 32;
	if (inet_pton(AF_INET, text, found.bytes + 12) != 1) {
		*bits = 128;
		if (inet_pton(AF_INET6, text, found.bytes) != 1)
			return false;
	}
	*addr = found;
	return true;
}

bool weir_parse_addr(const char *text, struct weir_addr *addr)
{
	unsigned bits;

	return parse_ip(text, addr, &bits);
}

// Decimal digits, no more than `greatest`, no leading zero.
static bool parse_length(const char *text, unsigned greatest, unsigned *length)
{
	unsigned number = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		number = number * 10 + (unsigned)(*text - '0');
		if (number > greatest)
			return false;
	}
	*length = number;
	return true;
}

static bool has_host_bits(const struct weir_prefix *prefix)
{
	unsigned length = prefix->length, i = length / 8;

	if (length % 8 && (prefix->addr.bytes[i++] & (0xff >> length % 8)))
		return true;
	for (; i < 16; i++)
		if (prefix->addr.bytes[i])
			return true;
	return false;
}

bool weir_parse_prefix(const char *text, struct weir_prefix *prefix)
{
	const char *slash = strchr(text, '/');
	size_t size = slash ? (size_t)(slash - text) : strlen(text);
	struct weir_prefix found = { 0 };
	char addr[INET6_ADDRSTRLEN];
	unsigned bits, length;

	if (size >= sizeof(addr))
		return false;
	memcpy(addr, text, size);
	addr[size] = 0;
	if (!parse_ip(addr, &found.addr, &bits))
		return false;
	length = bits;
	if (slash && !parse_length(slash + 1, bits, &length))
		return false;
	found.length = (uint8_t)(128 - bits + length);
	if (has_host_bits(&found))
		return false;
	*prefix = found;
	return true;
}

static int hex_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	       c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	       c >= 'A' && c <= 'F' ? c - 'A' + 10 :
				      -1;
}

// aa:bb:cc:dd:ee:ff, also with '-', always two digits
bool weir_parse_ether(const char *text, struct weir_ether *ether)
{
	struct weir_ether found;
	char between = 0;

	for (unsigned i = 0; i < 6; i++, text += 2) {
		if (i == 1)
			between = *text;
		if (i && ((between != ':' && between != '-') || *text++ != between))
			return false;
		if (hex_of(text[0]) < 0 || hex_of(text[1]) < 0)
			return false;
		found.bytes[i] = (uint8_t)(hex_of(text[0]) << 4 | hex_of(text[1]));
	}
	if (*text)
		return false;
	*ether = found;
	return true;
}

// k, M, G, T: powers of 1000; Ki, Mi, Gi, Ti: of 1024
static bool parse_factor(const char *text, uint64_t *factor)
{
	static const char letters[] = "kMGT";
	const char *letter;
	uint64_t base = 1000;

	*factor = 1;
	if (!*text)
		return true;
	letter = strchr(letters, *text == 'K' ? 'k' : *text);
	if (!letter)
		return false;
	if (text[1] == 'i')
		base = 1024;
	if (text[text[1] == 'i' ? 2 : 1])
		return false;
	for (; letter >= letters; letter--)
		*factor *= base;
	return true;
}

bool weir_parse_number(const char *text, uint64_t *number)
{
	bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	uint64_t found = 0, base = is_hex ? 16 : 10, factor = 1;
	const char *at = is_hex ? text + 2 : text, *begin = at;

	for (int digit; (digit = hex_of(*at)) >= 0 && (uint64_t)digit < base; at++)
		if (__builtin_mul_overflow(found, base, &found) ||
			__builtin_add_overflow(found, (uint64_t)digit, &found))
			return false;
	if (at == begin || (is_hex ? *at != 0 : !parse_factor(at, &factor)))
		return false;
	if (__builtin_mul_overflow(found, factor, &found))
		return false;
	*number = found;
	return true;
}
