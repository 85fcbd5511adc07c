/*
 * Messages: levels, the console ring (read by XEN_SYSCTL_readconsole), serial and VGA output.
 *
 * Formats: the usual ones, and %pS for an address as symbol+offset. Guest-caused messages go through
 * guest_log() in dom/crash.h, which is rate-limited and names the guest. log_err means *we* are broken.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include "lib/util.h"

enum log_level { LOG_ERR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_at(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);
void log_vat(enum log_level level, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
/* Into a buffer, terminated, with %pS; cut when it does not fit. */
void log_format(char *buf, size_t size, const char *fmt, va_list ap) PRINTF_LIKE(3, 0);
#define log_err(...)  log_at(LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_at(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)

/* Raw text to all consoles (Dom0's console_io). */
void console_write(const char *text, size_t len);
/* Bytes typed on the serial line for Dom0; returns how many were copied. */
size_t console_read(char *buf, size_t size);
/* Called (from deferred work) when console input is waiting. Set once by hvm/abi. */
extern void (*console_input_hook)(void);
/* Copy log text from position *index (a running count of all bytes ever logged) on; updates *index. */
size_t console_ring_read(char *buf, size_t size, uint32_t *index);
void console_ring_clear(void);

#endif
