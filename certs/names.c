
#include "certs/names.h"

#include "base/str.h"

#include <arpa/inet.h>

enum { DNS_MAX_BYTES = 253, LABEL_MAX_BYTES = 63 };

/* As an iPAddress name holds it: network byte order. */
struct address {
    unsigned char bytes[sizeof(struct in6_addr)];
    unsigned len;
};

static bool address_parse(const char *text, struct address *out)
{
    *out = (struct address){ .len = sizeof(struct in_addr) };
    if (inet_pton(AF_INET, text, out->bytes) == 1)
        return true;
    out->len = sizeof(struct in6_addr);
    return inet_pton(AF_INET6, text, out->bytes) == 1;
}

/* Not isalnum(): a name must not depend on the locale. */
static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_label(struct str label)
{
    if (label.len == 0 || label.len > LABEL_MAX_BYTES)
        return false;
    if (!is_alphanumeric(label.ptr[0]) || !is_alphanumeric(label.ptr[label.len - 1]))
        return false;
    for (size_t i = 0; i < label.len; i++)
        if (!is_alphanumeric(label.ptr[i]) && label.ptr[i] != '-')
            return false;
    return true;
}

static bool is_dns_name(const char *name)
{
    if (strlen(name) > DNS_MAX_BYTES)
        return false;
    if (str_starts_with(str_of(name), STR("*.")))
        name += 2;
    for (;;) {
        size_t len = strcspn(name, ".");
        if (!is_label((struct str){ name, len }))
            return false;
        if (name[len] == '\0')
            return true;
        name += len + 1;
    }
}

static result check_dns_name(const char *name, struct err *err)
{
    struct address address;
    ENSURE(!address_parse(name, &address), err, ERR_INPUT, "DNS name '%s': is an IP address, give it as one", name);
    ENSURE(
        is_dns_name(name), err, ERR_INPUT,
        "DNS name '%s': has to be labels of letters, digits and '-', joined by dots, e.g. sgp-webhook.kube-system.svc",
        name);
    return DONE;
}

result cert_names_check(const struct cert_request *request, struct err *err)
{
    struct address address;
    ENSURE(request->dns_count + request->ip_count > 0, err, ERR_INPUT,
           "no names: a certificate needs at least one DNS name or IP address");
    for (size_t i = 0; i < request->dns_count; i++)
        GUARD(check_dns_name(request->dns[i], err));
    for (size_t i = 0; i < request->ip_count; i++)
        ENSURE(address_parse(request->ips[i], &address), err, ERR_INPUT,
               "IP address '%s': is neither IPv4, e.g. 127.0.0.1, nor IPv6, e.g. ::1", request->ips[i]);
    return DONE;
}

static result add_name(gnutls_x509_crt_t certificate, gnutls_x509_subject_alt_name_t type, const void *name, size_t len,
                       struct err *err)
{
    int code = gnutls_x509_crt_set_subject_alt_name(certificate, type, name, (unsigned)len, GNUTLS_FSAN_APPEND);
    return gnutls_result(code, "adding a name to the certificate", err);
}

result cert_names_add(const struct cert_request *request, gnutls_x509_crt_t certificate, struct err *err)
{
    struct address address;
    for (size_t i = 0; i < request->dns_count; i++)
        GUARD(add_name(certificate, GNUTLS_SAN_DNSNAME, request->dns[i], strlen(request->dns[i]), err));
    for (size_t i = 0; i < request->ip_count; i++) {
        ENSURE(address_parse(request->ips[i], &address), err, ERR_INTERNAL, "IP address '%s': was not checked",
               request->ips[i]);
        GUARD(add_name(certificate, GNUTLS_SAN_IPADDRESS, address.bytes, address.len, err));
    }
    return DONE;
}

static bool has_name(gnutls_x509_crt_t certificate, gnutls_x509_subject_alt_name_t type, const void *name, size_t len)
{
    for (unsigned i = 0;; i++) {
        char found[DNS_MAX_BYTES + 1];
        size_t size = sizeof found;
        int code = gnutls_x509_crt_get_subject_alt_name(certificate, i, found, &size, NULL);
        if (code == (int)type && size == len && memcmp(found, name, len) == 0)
            return true;
        if (code < 0 && code != GNUTLS_E_SHORT_MEMORY_BUFFER) /* a name too long for the buffer is not ours: go on */
            return false;
    }
}

bool cert_names_cover(const struct cert_request *request, gnutls_x509_crt_t certificate)
{
    struct address address;
    for (size_t i = 0; i < request->dns_count; i++)
        if (!has_name(certificate, GNUTLS_SAN_DNSNAME, request->dns[i], strlen(request->dns[i])))
            return false;
    for (size_t i = 0; i < request->ip_count; i++)
        if (!address_parse(request->ips[i], &address) ||
            !has_name(certificate, GNUTLS_SAN_IPADDRESS, address.bytes, address.len))
            return false;
    return true;
}
