/*
 * What a package of one system is on another: data, a reason for each. A rule counts where the job runs on another platform than
 * the environment was made for. Packages that run everywhere, though nobody on Linux needs them (colorama), are none of its business.
 */

export interface PlatformRule {
  /** Canonical names; a `*` at the end stands for whatever follows. */
  readonly names: readonly string[];
  /** Systems, or platforms, that have the package. */
  readonly only: readonly string[];
  /** What does the same on a system of `on`, in the same version unless `anyVersion`. @default - nothing: it is left out */
  readonly instead?: { readonly name: string; readonly on: readonly string[]; readonly anyVersion?: boolean };
  /** For people, after the name. */
  readonly reason: string;
}

export const PLATFORM_RULES: readonly PlatformRule[] = [
  { names: ['appnope'], only: ['darwin'], reason: 'turns off App Nap of macOS' },
  { names: ['pyobjc', 'pyobjc-*'], only: ['darwin'], reason: 'Objective-C of macOS' },
  { names: ['macfsevents', 'fsevents'], only: ['darwin'], reason: 'file events of macOS' },
  { names: ['rumps', 'py2app', 'dmgbuild', 'mac-alias'], only: ['darwin'], reason: 'for programs of macOS' },
  { names: ['tensorflow-metal', 'jax-metal', 'mlx-metal'], only: ['darwin'], reason: 'GPUs of Apple' },
  {
    names: ['tensorflow-macos'],
    only: ['darwin'],
    instead: { name: 'tensorflow', on: ['linux', 'win32'] },
    reason: "Apple's build of tensorflow",
  },

  { names: ['pywin32', 'pypiwin32', 'pywin32-ctypes'], only: ['win32'], reason: 'the API of Windows' },
  { names: ['pywinpty', 'windows-curses', 'win-unicode-console'], only: ['win32'], reason: 'terminals of Windows' },
  { names: ['pyreadline', 'pyreadline3'], only: ['win32'], reason: 'readline, which Python has elsewhere' },
  { names: ['wmi', 'comtypes', 'pywinauto', 'winshell', 'pycaw', 'pygetwindow'], only: ['win32'], reason: 'COM of Windows' },
  { names: ['winrt-*', 'winsdk', 'winsdk-*', 'winrt'], only: ['win32'], reason: 'the Windows Runtime' },
  { names: ['win32-setctime', 'win-inet-pton', 'wexpect'], only: ['win32'], reason: 'calls of Windows' },
  {
    names: ['winloop'],
    only: ['win32'],
    instead: { name: 'uvloop', on: ['linux', 'darwin'], anyVersion: true },
    reason: 'uvloop for Windows',
  },
  {
    names: ['tensorflow-intel'],
    only: ['win32'],
    instead: { name: 'tensorflow', on: ['linux', 'darwin'] },
    reason: 'the build of tensorflow for Windows',
  },
  {
    names: ['triton-windows'],
    only: ['win32'],
    instead: { name: 'triton', on: ['linux-x86_64'], anyVersion: true },
    reason: 'triton for Windows',
  },
  {
    names: ['onnxruntime-directml'],
    only: ['win32'],
    instead: { name: 'onnxruntime', on: ['linux', 'darwin'] },
    reason: 'DirectX of Windows',
  },
  { names: ['torch-directml', 'tensorflow-directml', 'tensorflow-directml-plugin'], only: ['win32'], reason: 'DirectX of Windows' },

  { names: ['uvloop'], only: ['linux', 'darwin'], reason: 'does not run on Windows' },
  {
    names: ['mkl', 'mkl-*', 'intel-openmp', 'intel-cmplr-*', 'tbb', 'tcmlib', 'umf', 'onemkl-*', 'daal4py', 'scikit-learn-intelex'],
    only: ['linux-x86_64', 'win32-x86_64', 'darwin-x86_64'],
    reason: 'for processors of Intel',
  },
  {
    names: ['nvidia-*', 'cupy-cuda*', 'jax-cuda*'],
    only: ['linux', 'win32'],
    reason: 'CUDA, which macOS does not have',
  },
  { names: ['triton', 'pytorch-triton', 'pytorch-triton-rocm'], only: ['linux'], reason: 'compiles for GPUs on Linux' },
  {
    names: ['tensorflow-gpu'],
    only: ['linux-x86_64', 'win32-x86_64'],
    instead: { name: 'tensorflow', on: ['linux', 'darwin'] },
    reason: 'the CUDA build of tensorflow',
  },
  {
    names: ['onnxruntime-gpu'],
    only: ['linux-x86_64', 'win32-x86_64'],
    instead: { name: 'onnxruntime', on: ['linux', 'darwin'] },
    reason: 'the CUDA build of onnxruntime',
  },
  {
    names: ['faiss-gpu', 'faiss-gpu-cu11', 'faiss-gpu-cu12'],
    only: ['linux-x86_64'],
    instead: { name: 'faiss-cpu', on: ['linux', 'darwin'], anyVersion: true },
    reason: 'the CUDA build of faiss',
  },
];

/** The rule that keeps a package off a platform; undefined where there is none. */
export function ruleFor(name: string, platform: string): PlatformRule | undefined {
  return PLATFORM_RULES.find(({ names, only }) => names.some((pattern) => fits(pattern, name)) && !isOn(only, platform));
}

/** Whether a platform, or its system, is among them. */
export function isOn(places: readonly string[], platform: string): boolean {
  return places.includes(platform) || places.includes(systemOf(platform));
}

/** `linux` of `linux-arm64`. */
export function systemOf(platform: string): string {
  return platform.split('-', 1)[0]!;
}

function fits(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

/** A build of a package that lies in an index of its own, by the local part of its version: `2.3.0+cu121`. */
export interface BuildRule {
  readonly names: readonly string[];
  readonly label: RegExp;
  /** The index, made of the label. */
  readonly index: (label: string) => string;
  /** Where the builds are made for. Elsewhere the version is taken without its label, as its own index has it. */
  readonly only: readonly string[];
  readonly reason: string;
}

export const BUILD_RULES: readonly BuildRule[] = [
  {
    // Source: pytorch.org, "Start locally": pip install torch --index-url https://download.pytorch.org/whl/<label>
    names: ['torch', 'torchvision', 'torchaudio', 'torchtext', 'torchdata'],
    label: /^(cpu|cu\d+|rocm[\d.]+|xpu)$/,
    index: (label) => `https://download.pytorch.org/whl/${label}`,
    only: ['linux-x86_64', 'win32-x86_64'],
    reason: 'the build for this platform',
  },
];

/** Where a build with a label comes from; undefined when no rule knows it. */
export function buildRuleFor(name: string, label: string): BuildRule | undefined {
  return BUILD_RULES.find(({ names, label: labels }) => names.includes(name) && labels.test(label));
}
