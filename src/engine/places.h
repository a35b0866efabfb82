// SPDX-License-Identifier: Apache-2.0
// Lasting numbers of names. A packet outside of a vector names by number the place where it goes on (an element's name
// and input) and the events that it takes along, so that the generation which is in force when it comes back finds
// them. The control side gives numbers out; they are never taken back.
#ifndef ENGINE_PLACES_H
#define ENGINE_PLACES_H

#include <stdint.h>

uint16_t place_number(const char *element, unsigned input);
uint32_t place_count(void);
uint16_t event_number(const char *event);
uint32_t event_count(void);
void places_forget(void); // at the end of the process

#endif
