/**
 * The few build options of a kernel that a profile names, each with why it matters to a capture. What can be measured
 * in the running system (preemption, IOMMU, lockdown) is measured there and not read from here.
 */
export const kernelOptions = {
  CONFIG_KEXEC_FILE: 'whether the kernel itself reads, and may check, the capture kernel',
  CONFIG_KEXEC_SIG: 'whether the signature of the capture kernel is checked',
  CONFIG_KEXEC_SIG_FORCE: 'whether an unsigned capture kernel is refused without lockdown, too',
  CONFIG_CRASH_DUMP: 'whether a crash leads to a capture kernel at all',
  CONFIG_PROC_VMCORE: 'whether the capture kernel shows the memory of the crashed one',
  CONFIG_VMAP_STACK: 'whether a stack overflow meets a guard page or other memory',
  CONFIG_SOFTLOCKUP_DETECTOR: 'whether a loop with interrupts on can be noticed',
  CONFIG_HARDLOCKUP_DETECTOR: 'whether a loop with interrupts off can be noticed',
  CONFIG_DETECT_HUNG_TASK: 'whether a task that waits for ever can be noticed',
  CONFIG_PSTORE_RAM: 'whether a log can survive the reset in memory',
} as const;
export type KernelOption = keyof typeof kernelOptions;
