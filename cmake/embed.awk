# The instance type table as one C string.
BEGIN { print "#include \"policy/instance_types.h\"\n\nstatic const char table[] =" }
{ gsub(/\t/, "\\t"); printf "    \"%s\\n\"\n", $0 }
END { print "    ;\n\nstruct str instance_types_builtin(void)\n{\n    return (struct str){ table, sizeof table - 1 };\n}" }
