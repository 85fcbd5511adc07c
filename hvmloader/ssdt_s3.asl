/* Suspend to memory: a table of its own, left out when the toolstack forbids it. */
DefinitionBlock ("ssdt_s3.aml", "SSDT", 2, "Xen", "HVM", 0)
{
	Name (\_S3, Package () { 1, 1, 0, 0 })
}
