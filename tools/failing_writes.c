/* A failing file layer, to be preloaded: the LOCUM_FAILING_AT-th write to a file under LOCUM_FAILING_UNDER (with
 * LOCUM_FAILING_ON also each later one) fails with the error number LOCUM_FAILING_ERROR. Each counted write adds one byte
 * to the file LOCUM_FAILING_COUNT. Writes are counted per process: an archive has one writer.
 *
 *     cc -shared -fPIC -o failing_writes.so failing_writes.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int fails(int file)
{
    static const char *under, *tally;
    static long at, number, keeps_on;
    static int error;
    static ssize_t (*real_write)(int, const void *, size_t);
    char link[64], path[4096];
    int count;
    ssize_t length;

    if (!real_write) {
        under = getenv("LOCUM_FAILING_UNDER");
        tally = getenv("LOCUM_FAILING_COUNT");
        at = atol(getenv("LOCUM_FAILING_AT") ? getenv("LOCUM_FAILING_AT") : "0");
        error = atoi(getenv("LOCUM_FAILING_ERROR") ? getenv("LOCUM_FAILING_ERROR") : "5");
        keeps_on = getenv("LOCUM_FAILING_ON") != NULL;
        real_write = dlsym(RTLD_NEXT, "write");
    }
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    length = under ? readlink(link, path, sizeof path - 1) : -1;
    if (length < 0)
        return 0;
    path[length] = 0;
    /* The lock has a process id and is written before anything can be lost; shared memory is never on a disk. */
    if (strncmp(path, under, strlen(under)) || strstr(path, ".lock") || strstr(path, "-shm"))
        return 0;
    number++;
    if (tally && (count = open(tally, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) >= 0) {
        if (real_write(count, ".", 1) != 1)
            abort();
        close(count);
    }
    if (!at || number < at || (number > at && !keeps_on))
        return 0;
    errno = error;
    return 1;
}

#define FAILING(result, name, parameters, arguments)           \
    result name parameters                                     \
    {                                                          \
        static result(*real) parameters;                       \
        if (!real)                                             \
            real = dlsym(RTLD_NEXT, #name);                    \
        return fails(file) ? -1 : real arguments;              \
    }

FAILING(ssize_t, write, (int file, const void *data, size_t size), (file, data, size))
FAILING(ssize_t, pwrite, (int file, const void *data, size_t size, off_t at), (file, data, size, at))
FAILING(ssize_t, pwrite64, (int file, const void *data, size_t size, off64_t at), (file, data, size, at))
FAILING(int, ftruncate, (int file, off_t size), (file, size))
FAILING(int, ftruncate64, (int file, off64_t size), (file, size))
FAILING(int, fsync, (int file), (file))
FAILING(int, fdatasync, (int file), (file))
