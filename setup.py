"""Builds the one compiled module, fastnn._engine.

The kernels in csrc/kernels (with the products, the measurements and the registry) are compiled once per instruction
set from the same sources; csrc/run/dispatch.c picks a copy at import. Whatever goes wrong with the compiler, the
installation succeeds: fastnn then runs its NumPy reference, and says so and why.
FASTNN_NO_OPENMP=1 builds for one thread, FASTNN_ISA=avx2 for this instruction set only. On Windows the compiler is
MinGW's gcc, or what CC names (clang): Microsoft's has no vector extensions.
Objects are kept in build/ and compiled anew when a file that they were made of, or a flag, has changed.
"""

import hashlib
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from glob import glob
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

# Never -ffast-math, also where CFLAGS asks for it: NaN checks would vanish, and linking with it changes the
# floating-point state of the whole process. The initializers are those of tables that end with {0}.
FLAGS = ["-O3", "-std=gnu11", "-fno-fast-math", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast",
         "-fvisibility=hidden", "-g0", "-Wall", "-Wno-unknown-pragmas", "-Wno-psabi", "-Wno-missing-field-initializers"]
UNWANTED = r"-ffast-math|-Ofast|-funsafe-math-optimizations|-m(arch|cpu)=native"
# Instruction set: its flags, and the macro that a compiler who took them defines. They are all that may name one: the
# baseline must run on every machine.
ISAS = {"baseline": ([], "__STDC__")}
if sysconfig.get_platform().endswith(("x86_64", "amd64")):      # what is built for, which may be another machine
    ISAS["avx2"] = (["-mavx2", "-mfma"], "__AVX2__")
    ISAS["avx512"] = (["-mavx2", "-mfma", "-mavx512f", "-mavx512vl", "-mavx512dq", "-mavx512bw",
                       "-mprefer-vector-width=512"], "__AVX512BW__")
    UNWANTED += "|-march=.*|-m(no-)?(avx|fma|f16c|bmi|sse[34]|ssse3).*"
# OpenMP: flags to compile and to link with; the second pair is Apple's clang with libomp beside it.
OPENMP = [(["-fopenmp"], ["-fopenmp"]), (["-Xpreprocessor", "-fopenmp"], ["-lomp"])]
PER_ISA = [*sorted(glob("csrc/kernels/*.c")), "csrc/gemm/gemm.c", "csrc/run/measure.c", "csrc/run/registry.c"]
ONCE = ["csrc/gemm/panels.c", "csrc/run/dispatch.c", "csrc/run/program.c", "csrc/run/threads.c"]
NOT_BUILT = "_engine_missing.txt"       # beside fastnn/__init__.py: why there is no compiled module


def say(message):
    """One line to stderr; `pip install -v` shows it."""
    print(f"fastnn: {message}", file=sys.stderr, flush=True)


class BuildEngine(build_ext):
    """build_ext that compiles the kernels per instruction set, and gives up with one line."""

    def finalize_options(self):
        super().finalize_options()
        if os.name == "nt" and self.compiler is None:
            self.compiler = "mingw32"

    def run(self):
        inplace = self.inplace      # setuptools' run() clears it for a while
        try:
            super().run()
        except Exception as error:
            self._give_up(error, inplace)
        else:
            self._built_path().with_name(NOT_BUILT).unlink(missing_ok=True)

    def _give_up(self, error, inplace):
        """The reference will run. What an earlier build left is removed, and the reason goes into the package."""
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        for self.inplace in {False, inplace}:
            self._built_path().unlink(missing_ok=True)
            self._built_path().parent.mkdir(parents=True, exist_ok=True)
            self._built_path().with_name(NOT_BUILT).write_text(reason + "\n", encoding="utf-8")
        say(f"the C kernels were not built ({reason}); the NumPy reference will run instead.")

    def _built_path(self):
        return Path(self.get_ext_fullpath("fastnn._engine"))

    def build_extension(self, extension):
        self._leave_out_unwanted()
        if not self._works("int main(void){return 0;}", [], []):
            raise RuntimeError(f"the C compiler, {self._compiler_name()}, cannot build an empty program")
        compiling, linking = self._openmp_flags()
        built = self._compile_each_isa()
        objects = [path for paths in built.values() for path in paths]
        objects += self._compile("once", ONCE, [(f"HAVE_{name}", "1") for name in built], compiling)
        extension.extra_objects = objects
        extension.extra_link_args = linking
        if self.compiler.compiler_type == "mingw32":
            extension.extra_link_args.append("-static")     # or Windows would look for gcc's libraries
        self.force = True       # an earlier build may have been made with other flags
        super().build_extension(extension)

    def _leave_out_unwanted(self):
        """Take the flags out of the compiler's commands that CFLAGS and its like must not bring in; say which."""
        left_out = set()
        for command in ("compiler", "compiler_so", "compiler_cxx", "compiler_so_cxx", "linker_so", "linker_so_cxx"):
            words = getattr(self.compiler, command, None)
            if isinstance(words, list):
                left_out.update(word for word in words if re.fullmatch(UNWANTED, word))
                setattr(self.compiler, command, [word for word in words if not re.fullmatch(UNWANTED, word)])
        if left_out:
            say(f"left out of the compiler's flags: {' '.join(sorted(left_out))}. The kernels are compiled for each "
                "instruction set anyway, and must see NaN.")

    def _compile_each_isa(self):
        """{instruction set: its object files}; one that this compiler cannot build is left out."""
        wanted = {name: row for name, row in ISAS.items() if name == os.environ.get("FASTNN_ISA", name)}
        usable = [name for name, (flags, macro) in wanted.items() if self._works(
            f"#ifndef {macro}\n#error not this instruction set\n#endif\nint main(void){{return 0;}}", flags)]
        if not usable:
            raise RuntimeError(f"no instruction set to build for; FASTNN_ISA is one of {', '.join(ISAS)}")
        built = {}
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            waiting = {(name, source): pool.submit(self._compile, name, [source], [("FASTNN_ISA", name)],
                                                   ISAS[name][0]) for name in reversed(usable) for source in PER_ISA}
            for name in usable:
                try:
                    built[name] = [path for source in PER_ISA for path in waiting[name, source].result()]
                except Exception as error:
                    if len(usable) == 1 or name == "baseline":
                        pool.shutdown(cancel_futures=True)
                        raise
                    say(f"built without {name} ({error}).")
        missing = [name for name in wanted if name not in usable]
        if missing:
            say(f"built without {', '.join(missing)}, which {self._compiler_name()} does not know.")
        return built

    def _compile(self, name, sources, macros, flags):
        """The sources' object files, in a folder of this name and these flags; compiled where something is newer."""
        command = [*getattr(self.compiler, "compiler_so", ["cc"]), *FLAGS, *flags, *map(str, macros)]
        folder = os.path.join("build", "objects", name, hashlib.sha256(" ".join(command).encode()).hexdigest()[:16])
        objects = self.compiler.object_filenames(sources, output_dir=folder)
        for source, path in zip(sources, objects):
            if not self._fresh(path):
                self.compiler.compile([source], output_dir=folder, macros=macros, include_dirs=["csrc"],
                                      extra_postargs=[*FLAGS, *flags, "-MD", "-MF", path + ".d"])
        return objects

    @staticmethod
    def _fresh(path):
        """Whether the object is newer than every file that the compiler read for it."""
        try:
            read = Path(path + ".d").read_text().partition(":")[2].replace("\\\n", " ").split()
            return all(os.path.getmtime(each) <= os.path.getmtime(path) for each in read)
        except OSError:
            return False

    def _compiler_name(self):
        return getattr(self.compiler, "compiler_so", [self.compiler.compiler_type])[0]

    def _openmp_flags(self):
        """The flags to compile and to link with; both empty for one thread."""
        if os.environ.get("FASTNN_NO_OPENMP") == "1":
            say("FASTNN_NO_OPENMP=1; the C kernels will run on one thread.")
            return [], []
        source = "#include <omp.h>\nint main(void){return omp_get_max_threads() < 1;}"
        for compiling, linking in OPENMP:
            if self._works(source, compiling, linking):
                return compiling, linking
        say("no OpenMP; the C kernels will run on one thread.")
        return [], []

    def _works(self, source, compiling, linking=None):
        """Whether the compiler takes the source with these flags and, given flags to link with, makes a program of it
        that runs, if programs run there: they do not in a folder mounted noexec, nor those for another machine."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "probe.c")
            with open(path, "w") as file:
                file.write(source)
            try:
                objects = self.compiler.compile([path], output_dir=folder, extra_postargs=compiling)
                if linking is None:
                    return True
                self.compiler.link_executable(objects, "probe", output_dir=folder, extra_postargs=linking)
            except Exception:
                return False
            try:
                return subprocess.run([os.path.join(folder, "probe")], check=False).returncode == 0
            except OSError:
                return True


setup(
    ext_modules=[Extension(
        "fastnn._engine", ["fastnn/_engine.pyx"], include_dirs=["csrc"], libraries=["m"],
        extra_compile_args=["-O2", "-g0", "-fno-fast-math", "-fvisibility=hidden", "-Wno-error"],   # Cython's own C
        depends=["setup.py", *sorted(glob("fastnn/*.pxi")), *sorted(glob("csrc/**/*.[ch]", recursive=True))],
    )],
    cmdclass={"build_ext": BuildEngine},
)
