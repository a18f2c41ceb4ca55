/* server/setting_value.h - from a value of the file to its field of struct config, as the row says. */
#ifndef SGP_SERVER_SETTING_VALUE_H
#define SGP_SERVER_SETTING_VALUE_H

#include "server/config.h"
#include "server/settings.h"
#include "server/value_reader.h"

/* Sets the row's field to its default. */
void setting_reset(const struct setting *row, struct config *config);
/* Sets the row's field to `value`, valid JSON; null leaves it. Texts are copied to the arena of `config`. ERR_INPUT:
 * "limits.connections: 4 is out of range, 8 to 100000"; reader->at is at fault. */
result setting_read(const struct setting *row, struct str value, struct value_reader *reader, struct config *config,
                    struct err *err);
/* Whether both have the same value. */
bool setting_equal(const struct setting *row, const struct config *a, const struct config *b);

#endif
