/* Suspend to disk, which ends in soft-off: a table of its own, as for S3. */
DefinitionBlock ("ssdt_s4.aml", "SSDT", 2, "Xen", "HVM", 0)
{
	Name (\_S4, Package () { 0, 0, 0, 0 })
}
