// SPDX-License-Identifier: Apache-2.0
// Lasting numbers of (element's name, input): a packet that waits to go on names one, so that the
// generation which is in force when it does finds the place by name. The control side gives them
// out; they are never taken back.
#ifndef ENGINE_PLACES_H
#define ENGINE_PLACES_H

#include <stdint.h>

uint16_t place_number(const char *element, unsigned input);
uint32_t place_count(void);
void places_forget(void); // at the end of the process

#endif
