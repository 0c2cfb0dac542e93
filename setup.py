"""Builds the one compiled module, fastnn._engine.

The kernels in csrc/kernels (with gemm.c and registry.c) are compiled once per instruction set from the
same sources; csrc/dispatch.c picks a copy at import. Whatever goes wrong with the compiler, the
installation succeeds: fastnn then runs its NumPy reference, and says so.
"""

import os
import platform
import subprocess
import sys
import tempfile
from glob import glob

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

FLAGS = ["-O3", "-std=gnu11", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast",
         "-fvisibility=hidden", "-g0", "-Wall", "-Wno-unknown-pragmas", "-Wno-psabi"]
ISAS = {"baseline": []}
if platform.machine().lower() in ("x86_64", "amd64"):
    ISAS["avx2"] = ["-mavx2", "-mfma"]
    ISAS["avx512"] = ["-mavx2", "-mfma", "-mavx512f", "-mavx512vl", "-mavx512dq", "-mavx512bw",
                      "-mprefer-vector-width=512"]
PER_ISA = sorted(glob("csrc/kernels/*.c")) + ["csrc/gemm.c", "csrc/registry.c"]
ONCE = ["csrc/dispatch.c", "csrc/program.c"]


class BuildEngine(build_ext):
    """build_ext that compiles the kernels per instruction set, and gives up with one line."""

    def run(self):
        try:
            super().run()
        except Exception as error:
            self._give_up(error)

    def build_extension(self, extension):
        try:
            self._build(extension)
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error):
        # stderr is shown by `pip install -v`; fastnn.show_config() says the same at run time.
        reason = str(error).strip().splitlines()[-1:] or [type(error).__name__]
        print(f"fastnn: the C kernels were not built ({reason[0]}); the NumPy reference will run instead.",
              file=sys.stderr)

    def _build(self, extension):
        openmp = self._openmp_flags()
        isas = {name: flags for name, flags in ISAS.items() if self._compiles("int main(void){return 0;}", flags)}
        if not isas:
            raise RuntimeError("the C compiler cannot compile an empty program")
        objects = []
        for name, flags in isas.items():
            objects += self.compiler.compile(
                PER_ISA, output_dir=os.path.join(self.build_temp, name), macros=[("FASTNN_ISA", name)],
                include_dirs=["csrc"], extra_postargs=FLAGS + flags, depends=extension.depends)
        objects += self.compiler.compile(
            ONCE, output_dir=self.build_temp, macros=[(f"HAVE_{name}", "1") for name in isas],
            include_dirs=["csrc"], extra_postargs=FLAGS + openmp, depends=extension.depends)
        extension.extra_objects = objects
        extension.extra_link_args = openmp
        super().build_extension(extension)

    def _openmp_flags(self):
        if os.environ.get("FASTNN_NO_OPENMP") == "1":
            return []
        source = "#include <omp.h>\nint main(void){return omp_get_max_threads() < 1;}"
        if self._compiles(source, ["-fopenmp"]):
            return ["-fopenmp"]
        print("fastnn: no OpenMP; the C kernels will run on one thread.", file=sys.stderr)
        return []

    def _compiles(self, source, flags):
        """Whether the compiler takes these flags, links, and (for the build machine's own ISA) runs."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "probe.c")
            with open(path, "w") as file:
                file.write(source)
            try:
                objects = self.compiler.compile([path], output_dir=folder, extra_postargs=flags)
                self.compiler.link_executable(objects, "probe", output_dir=folder, extra_postargs=flags)
                return subprocess.run([os.path.join(folder, "probe")], check=False).returncode == 0
            except Exception:
                return False


setup(
    ext_modules=[Extension(
        "fastnn._engine", ["fastnn/_engine.pyx"], include_dirs=["csrc"], libraries=["m"],
        extra_compile_args=["-O2", "-g0", "-fvisibility=hidden"], depends=sorted(glob("csrc/**/*.[ch]", recursive=True)),
    )],
    cmdclass={"build_ext": BuildEngine},
)
