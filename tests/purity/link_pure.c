/* Links the pure layers whole, with nothing above them: a pure layer that calls the edge or the
 * daemon does not link. That they call nothing of libc's world either is scripts/purity's to see.
 */

#include "base/assert.h"

void qr_assert_failed(const char *file, int line, const char *claim)
{
    (void)file;
    (void)line;
    (void)claim;
    __builtin_trap();
}

int main(void)
{
    return 0;
}
