/*
 * DSDT of the guest machine: an i440FX with PIIX3 and PIIX4 power management as QEMU builds it,
 * interrupt controllers and timers as the hypervisor does.
 *
 * Lines of the form "//@name" are replaced by tables that mkdsdt.awk writes: 128 processors, the
 * interrupt routing of 31 slots, the hot-plug slots. What only this boot knows (memory windows,
 * number of processors, which ports exist) is read from the page that acpi.c fills: struct
 * acpi_info at FC000000h, offsets alike here and there.
 * Manual: "Advanced Configuration and Power Interface Specification".
 */
DefinitionBlock ("dsdt.aml", "DSDT", 2, "Xen", "HVM", 0)
{
	/* SLP_TYP 0 is soft-off in the PIIX4 that QEMU emulates. */
	Name (\_S5, Package () { 0, 0, 0, 0 })

	OperationRegion (INFO, SystemMemory, 0xFC000000, 40)
	Field (INFO, ByteAcc, NoLock, Preserve)
	{
		COM1, 1,
		COM2, 1,
		LPT1, 1,
		HPTP, 1,
		Offset (2),
		NCPU, 16,	/* processors that exist */
		PMIN, 32,	/* PCI window below 4 GiB */
		PLEN, 32,
		MSUA, 32,	/* address of the MADT's checksum */
		MAPA, 32,	/* address of its first processor entry */
		VGIA, 32,	/* address of the generation ID */
		HMIN, 64,	/* PCI window above 4 GiB */
		HLEN, 64
	}

	/* 0: 8259 pair, 1: I/O APIC. */
	Name (PICD, 0)
	Method (\_PIC, 1, NotSerialized)
	{
		PICD = Arg0
	}

	Scope (\_SB)
	{
		/* Processors: QEMU holds a bitmap of those plugged in, the MADT what was told to the OS. */
		OperationRegion (MSUM, SystemMemory, MSUA, 1)
		Field (MSUM, ByteAcc, NoLock, Preserve)
		{
			MSU, 8
		}

		OperationRegion (PRST, SystemIO, 0xAF00, 32)
		Field (PRST, ByteAcc, NoLock, Preserve)
		{
			//@bitmap
		}

		/* One processor appears (1) or goes (0) in the MADT: keep its sum right. */
		Method (CSUM, 1, Serialized)
		{
			If (Arg0)
			{
				MSU = MSU - 1
			}
			Else
			{
				MSU = MSU + 1
			}
		}

		//@processors

		Method (PRSC, 0, Serialized)
		{
			//@scan
		}

		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A03"))
			Name (_UID, 0)
			Name (_BBN, 0)

			Name (LOWR, ResourceTemplate ()
			{
				WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
					0x0000, 0x0000, 0x00FF, 0x0000, 0x0100)
				IO (Decode16, 0x0CF8, 0x0CF8, 0x01, 0x08)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
					0x0000, 0x0000, 0x0CF7, 0x0000, 0x0CF8)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
					0x0000, 0x0D00, 0xFFFF, 0x0000, 0xF300)
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					Cacheable, ReadWrite,
					0x00000000, 0x000A0000, 0x000BFFFF, 0x00000000, 0x00020000)
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					NonCacheable, ReadWrite,
					0x00000000, 0xF0000000, 0xFBFFFFFF, 0x00000000, 0x0C000000,
					, , WIN0)
			})
			Name (HIGR, ResourceTemplate ()
			{
				QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					NonCacheable, ReadWrite,
					0x0000000000000000, 0x0000000100000000, 0x00000001FFFFFFFF,
					0x0000000000000000, 0x0000000100000000, , , WIN1)
			})

			Method (_CRS, 0, Serialized)
			{
				CreateDWordField (LOWR, \_SB.PCI0.WIN0._MIN, MINL)
				CreateDWordField (LOWR, \_SB.PCI0.WIN0._MAX, MAXL)
				CreateDWordField (LOWR, \_SB.PCI0.WIN0._LEN, LENL)
				MINL = PMIN
				LENL = PLEN
				MAXL = PMIN + PLEN - 1
				If (HLEN == 0)
				{
					Return (LOWR)
				}
				CreateQWordField (HIGR, \_SB.PCI0.WIN1._MIN, MINH)
				CreateQWordField (HIGR, \_SB.PCI0.WIN1._MAX, MAXH)
				CreateQWordField (HIGR, \_SB.PCI0.WIN1._LEN, LENH)
				MINH = HMIN
				LENH = HLEN
				MAXH = HMIN + HLEN - 1
				Return (ConcatenateResTemplate (LOWR, HIGR))
			}

			Name (PRTP, Package ()
			{
				//@prt-pic
			})
			Name (PRTA, Package ()
			{
				//@prt-apic
			})
			Method (_PRT, 0, NotSerialized)
			{
				If (PICD)
				{
					Return (PRTA)
				}
				Return (PRTP)
			}

			/* The ISA bridge, which also routes the PCI links to ISA interrupts. */
			Device (ISA)
			{
				Name (_ADR, 0x00010000)

				OperationRegion (PIRQ, PCI_Config, 0x60, 4)
				Field (PIRQ, ByteAcc, NoLock, Preserve)
				{
					PIRA, 8,
					PIRB, 8,
					PIRC, 8,
					PIRD, 8
				}

				/* Ports of the machine that no other device describes. */
				Device (SYSR)
				{
					Name (_HID, EisaId ("PNP0C02"))
					Name (_UID, 1)
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x0010, 0x0010, 0x00, 0x10)
						IO (Decode16, 0x0022, 0x0022, 0x00, 0x0C)
						IO (Decode16, 0x0030, 0x0030, 0x00, 0x10)
						IO (Decode16, 0x0044, 0x0044, 0x00, 0x1C)
						IO (Decode16, 0x0062, 0x0062, 0x00, 0x02)
						IO (Decode16, 0x0065, 0x0065, 0x00, 0x0B)
						IO (Decode16, 0x0072, 0x0072, 0x00, 0x0E)
						IO (Decode16, 0x0080, 0x0080, 0x00, 0x01)
						IO (Decode16, 0x0084, 0x0084, 0x00, 0x03)
						IO (Decode16, 0x0088, 0x0088, 0x00, 0x01)
						IO (Decode16, 0x008C, 0x008C, 0x00, 0x03)
						IO (Decode16, 0x0090, 0x0090, 0x00, 0x10)
						IO (Decode16, 0x00A2, 0x00A2, 0x00, 0x1E)
						IO (Decode16, 0x00E0, 0x00E0, 0x00, 0x10)
						IO (Decode16, 0xAE00, 0xAE00, 0x00, 0x18)
						IO (Decode16, 0xAF00, 0xAF00, 0x00, 0x20)
						IO (Decode16, 0xAFE0, 0xAFE0, 0x00, 0x04)
						IO (Decode16, 0xB000, 0xB000, 0x00, 0x40)
					})
				}

				Device (PIC)
				{
					Name (_HID, EisaId ("PNP0000"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x0020, 0x0020, 0x01, 0x02)
						IO (Decode16, 0x00A0, 0x00A0, 0x01, 0x02)
						IO (Decode16, 0x04D0, 0x04D0, 0x10, 0x02)
						IRQNoFlags () { 2 }
					})
				}

				Device (DMAC)
				{
					Name (_HID, EisaId ("PNP0200"))
					Name (_CRS, ResourceTemplate ()
					{
						DMA (Compatibility, BusMaster, Transfer8) { 4 }
						IO (Decode16, 0x0000, 0x0000, 0x00, 0x10)
						IO (Decode16, 0x0081, 0x0081, 0x00, 0x03)
						IO (Decode16, 0x0087, 0x0087, 0x00, 0x01)
						IO (Decode16, 0x0089, 0x0089, 0x00, 0x03)
						IO (Decode16, 0x008F, 0x008F, 0x00, 0x01)
						IO (Decode16, 0x00C0, 0x00C0, 0x00, 0x20)
					})
				}

				Device (TMR)
				{
					Name (_HID, EisaId ("PNP0100"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x0040, 0x0040, 0x00, 0x04)
						IRQNoFlags () { 0 }
					})
				}

				Device (RTC)
				{
					Name (_HID, EisaId ("PNP0B00"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x0070, 0x0070, 0x00, 0x02)
						IRQNoFlags () { 8 }
					})
				}

				Device (SPKR)
				{
					Name (_HID, EisaId ("PNP0800"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x0061, 0x0061, 0x00, 0x01)
					})
				}

				Device (PS2M)
				{
					Name (_HID, EisaId ("PNP0F13"))
					Name (_CID, EisaId ("PNP0F13"))
					Name (_CRS, ResourceTemplate ()
					{
						IRQNoFlags () { 12 }
					})
				}

				Device (PS2K)
				{
					Name (_HID, EisaId ("PNP0303"))
					Name (_CID, EisaId ("PNP030B"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x0060, 0x0060, 0x00, 0x01)
						IO (Decode16, 0x0064, 0x0064, 0x00, 0x01)
						IRQNoFlags () { 1 }
					})
				}

				Device (FDC0)
				{
					Name (_HID, EisaId ("PNP0700"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x03F0, 0x03F0, 0x01, 0x06)
						IO (Decode16, 0x03F7, 0x03F7, 0x01, 0x01)
						IRQNoFlags () { 6 }
						DMA (Compatibility, NotBusMaster, Transfer8) { 2 }
					})
				}

				Device (UAR1)
				{
					Name (_HID, EisaId ("PNP0501"))
					Name (_UID, 1)
					Method (_STA, 0, NotSerialized)
					{
						Return (COM1 * 0x0F)
					}
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x03F8, 0x03F8, 0x08, 0x08)
						IRQNoFlags () { 4 }
					})
				}

				Device (UAR2)
				{
					Name (_HID, EisaId ("PNP0501"))
					Name (_UID, 2)
					Method (_STA, 0, NotSerialized)
					{
						Return (COM2 * 0x0F)
					}
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x02F8, 0x02F8, 0x08, 0x08)
						IRQNoFlags () { 3 }
					})
				}

				Device (LTP1)
				{
					Name (_HID, EisaId ("PNP0400"))
					Name (_UID, 1)
					Method (_STA, 0, NotSerialized)
					{
						Return (LPT1 * 0x0F)
					}
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x0378, 0x0378, 0x08, 0x08)
						IRQNoFlags () { 7 }
					})
				}

				/* Changes whenever the guest is restored from an older copy of itself. */
				Device (VGID)
				{
					Name (_HID, "XEN0000")
					Name (_UID, 0)
					Name (_CID, "VM_Gen_Counter")
					Name (_DDN, "VM_Gen_Counter")
					Method (_STA, 0, NotSerialized)
					{
						If (VGIA == 0)
						{
							Return (0)
						}
						Return (0x0F)
					}
					Name (PKG, Package () { 0, 0 })
					Method (ADDR, 0, Serialized)
					{
						PKG [0] = VGIA
						PKG [1] = 0
						Return (PKG)
					}
				}
			}

			/* Hot plug of whole slots, as QEMU's PIIX4 does it. */
			OperationRegion (PHPC, SystemIO, 0xAE00, 16)
			Field (PHPC, DWordAcc, NoLock, WriteAsZeros)
			{
				PCUP, 32,	/* slots that got a device */
				PCDN, 32,	/* slots whose device should go */
				PCEJ, 32,	/* write: remove these */
				PCRM, 32	/* slots that can be removed */
			}

			//@slots

			Method (PCNT, 0, Serialized)
			{
				Local0 = PCUP
				Local1 = PCDN
				//@notify
			}
		}

		/* The four PCI links. */
		//@links

		Device (HPET)
		{
			Name (_HID, EisaId ("PNP0103"))
			Name (_UID, 0)
			Method (_STA, 0, NotSerialized)
			{
				Return (HPTP * 0x0F)
			}
			Name (_CRS, ResourceTemplate ()
			{
				Memory32Fixed (ReadOnly, 0xFED00000, 0x00000400)
			})
		}
	}

	Scope (\_GPE)
	{
		Method (_E01, 0, NotSerialized)
		{
			\_SB.PCI0.PCNT ()
		}

		Method (_E02, 0, NotSerialized)
		{
			\_SB.PRSC ()
		}
	}
}
