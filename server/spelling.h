/* server/spelling.h - how far a name that nothing bears is from one that something bears. */
#ifndef SGP_SERVER_SPELLING_H
#define SGP_SERVER_SPELLING_H

#include "base/str.h"

/* Too far apart for a slip of the pen. */
#define SPELLING_FAR SIZE_MAX

/* How many characters are wrong, missing, superfluous or swapped with the next; upper and lower case, - and _ are the
 * same to it, so that health_listen is healthListen. SPELLING_FAR: more than a name of this length bears. */
size_t spelling_slips(struct str written, struct str meant);

#endif
