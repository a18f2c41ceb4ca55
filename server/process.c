#include "server/process.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
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
        if (sscanf(line, "btime %lf", &seconds) == 1)
            break;
    (void)fclose(file);
    return seconds;
}

/* proc(5): the name of the command may hold anything but ends with the last parenthesis; field 3 follows. */
static void read_stat(struct process_facts *facts)
{
    char text[1024];
    uint64_t user = 0, system = 0, start = 0, size = 0, pages = 0;
    double ticks = (double)sysconf(_SC_CLK_TCK);
    if (!read_whole("/proc/self/stat", text, sizeof text))
        return;
    const char *fields = strrchr(text, ')');
    if (!fields || sscanf(fields + 1,
                          " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64
                          " %*d %*d %*d %*d %*d %*d %" SCNu64 " %" SCNu64 " %" SCNu64,
                          &user, &system, &start, &size, &pages) != 5)
        return;
    double boot_s = boot_time();
    facts->cpu_s = (double)(user + system) / ticks;
    facts->virtual_bytes = (double)size;
    facts->resident_bytes = (double)pages * (double)sysconf(_SC_PAGESIZE);
    facts->start_s = boot_s > 0 ? boot_s + (double)start / ticks : -1;
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
