// SPDX-License-Identifier: Apache-2.0
// Types and codes of ICMP errors by name.
#ifndef ICMP_H
#define ICMP_H

#include <weir.h>

extern const char icmp_known[];
bool icmp_parse(const char *type, const char *code, uint8_t *type_number, uint8_t *code_number);
bool icmp6_parse(const char *type, const char *code, uint8_t *type_number, uint8_t *code_number);
// Is a message of this ICMP type (IPv4) no error, so that an error may be sent about it?
bool icmp_is_query(uint8_t type);

#endif
