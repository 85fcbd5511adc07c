/*
 * Text on port E9h, for the firmware and the micro-guests: characters, strings, formatted.
 */
#ifndef HVMLOADER_TEXT_H
#define HVMLOADER_TEXT_H

#include <stdarg.h>

void text_char(char c);
void text_string(const char *text);

/* %s %c %d %u %x %p %%, each integer with optional 0-width, ll for 64 bits. The list is used up as va_arg() does. */
void text_format(const char *format, va_list *args);

#endif
