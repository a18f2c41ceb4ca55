#include "server/process.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

struct process_facts {
    double cpu_s;
    double virtual_bytes;
    double resident_bytes;
    double start_s;
    double open_fds;
    double max_fds;
};

static const struct fact_row {
    const char *name;
    const char *type;
    const char *help;
    size_t offset;
} fact_rows[] = {
    { "process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.",
      offsetof(struct process_facts, cpu_s) },
    { "process_open_fds", "gauge", "Number of open file descriptors.", offsetof(struct process_facts, open_fds) },
    { "process_max_fds", "gauge", "Maximum number of open file descriptors.", offsetof(struct process_facts, max_fds) },
    { "process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes.",
      offsetof(struct process_facts, virtual_bytes) },
    { "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.",
      offsetof(struct process_facts, resident_bytes) },
    { "process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds.",
      offsetof(struct process_facts, start_s) },
};

static bool read_whole(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    size_t len = fread(text, 1, size - 1, file);
    text[len] = '\0';
    (void)fclose(file);
    return len > 0;
}

/* Seconds since 1970 at which the machine was started; 0 when it cannot be said. */
static double boot_time(void)
{
    char line[256];
    double seconds = 0;
    FILE *file = fopen("/proc/stat", "re");
    if (!file)
        return 0;
    while (fgets(line, sizeof line, file))
        if (strncmp(line, "btime ", strlen("btime ")) == 0)
            seconds = strtod(line + strlen("btime "), NULL);
    (void)fclose(file);
    return seconds;
}

/* Their numbers in proc(5). */
enum { STAT_STATE = 3, STAT_USER = 14, STAT_SYSTEM = 15, STAT_START = 22, STAT_SIZE = 23, STAT_PAGES = 24, STAT_COUNT };

/* The name of the command may hold anything, but ends with the last parenthesis; the fields from the state on follow.
 */
static bool split_stat(const char *text, uint64_t out[STAT_COUNT])
{
    const char *at = strrchr(text, ')');
    int field = STAT_STATE;
    if (!at)
        return false;
    for (; *at && field < STAT_COUNT; field++) {
        at += strcspn(at, " ");
        at += strspn(at, " ");
        out[field] = strtoull(at, NULL, 10);
    }
    return field == STAT_COUNT;
}

static void read_stat(struct process_facts *facts)
{
    char text[1024];
    uint64_t fields[STAT_COUNT] = { 0 };
    double ticks = (double)sysconf(_SC_CLK_TCK);
    if (!read_whole("/proc/self/stat", text, sizeof text) || !split_stat(text, fields))
        return;
    double boot_s = boot_time();
    facts->cpu_s = (double)(fields[STAT_USER] + fields[STAT_SYSTEM]) / ticks;
    facts->virtual_bytes = (double)fields[STAT_SIZE];
    facts->resident_bytes = (double)fields[STAT_PAGES] * (double)sysconf(_SC_PAGESIZE);
    facts->start_s = boot_s > 0 ? boot_s + (double)fields[STAT_START] / ticks : -1;
}

static void read_fds(struct process_facts *facts)
{
    struct rlimit limit = { 0 };
    DIR *directory = opendir("/proc/self/fd");
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        facts->max_fds = (double)limit.rlim_cur;
    if (!directory)
        return;
    /* not ".", "..", nor the descriptor that reads the directory */
    facts->open_fds = -3;
    while (readdir(directory))
        facts->open_fds++;
    (void)closedir(directory);
}

void process_metrics_put(struct buf *out)
{
    struct process_facts facts = { -1, -1, -1, -1, -1, -1 };
    read_stat(&facts);
    read_fds(&facts);
    for (size_t i = 0; i < sizeof fact_rows / sizeof fact_rows[0]; i++) {
        const struct fact_row *row = &fact_rows[i];
        double value = 0;
        memcpy(&value, (const char *)&facts + row->offset, sizeof value);
        if (value < 0)
            continue;
        buf_print(out, "# HELP %s %s\n# TYPE %s %s\n%s %.15g\n", row->name, row->help, row->name, row->type, row->name,
                  value);
    }
}
