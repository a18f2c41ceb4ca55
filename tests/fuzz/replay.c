/* Runs every file of the directories given as arguments through a fuzz target: for builds without libFuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 0 when it cannot be read; a corpus has no empty files. */
static size_t read_whole(const char *path, uint8_t **out)
{
    FILE *file = fopen(path, "rb");
    long size = 0;
    if (!file)
        return 0;
    if (fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) > 0)
        *out = malloc((size_t)size);
    rewind(file);
    size_t got = *out ? fread(*out, 1, (size_t)size, file) : 0;
    (void)fclose(file);
    return got;
}

static size_t replay_directory(const char *directory)
{
    char path[4096];
    size_t files = 0;
    const struct dirent *entry = NULL;
    DIR *listing = opendir(directory);
    if (!listing)
        return 0;
    while ((entry = readdir(listing))) {
        uint8_t *bytes = NULL;
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        (void)fprintf(stderr, "%s\n", path); /* the last line before a crash is the culprit */
        size_t size = read_whole(path, &bytes);
        (void)LLVMFuzzerTestOneInput(bytes, size);
        free(bytes);
        files++;
    }
    (void)closedir(listing);
    return files;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        size_t files = replay_directory(argv[i]);
        (void)printf("%s: %zu files\n", argv[i], files);
        if (files == 0)
            return EXIT_FAILURE; /* a corpus that has moved would pass unseen */
    }
    return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
