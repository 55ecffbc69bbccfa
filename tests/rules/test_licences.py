import pytest

from forge.rules.licences import licence_of, spdx

MIT = """The MIT License (MIT)

Copyright (c) 2026 Ann

Permission is hereby granted, free of charge, to any person obtaining a copy of this software
and associated documentation files (the "Software"), to deal in the Software without restriction.
The above copyright notice and this permission notice shall be included in all copies or
substantial portions of the Software. THE SOFTWARE IS PROVIDED "AS IS"."""
BSD_2 = """Redistribution and use in source and binary forms, with or without modification, are
permitted provided that the following conditions are met: 1. Redistributions of source code must
retain the above copyright notice. 2. Redistributions in binary form must reproduce the above
copyright notice in the documentation."""
BSD_3 = f"""{BSD_2} 3. Neither the name of Ann nor the names of its contributors may be used to
endorse or promote products derived from this software without permission."""
ISC = """Permission to use, copy, modify, and/or distribute this software for any purpose with or
without fee is hereby granted, provided that the above copyright notice and this permission notice
appear in all copies."""
TEXTS = {
    "MIT": MIT,
    "BSD-2-Clause": BSD_2,
    "BSD-3-Clause": BSD_3,
    "ISC": ISC,
    "Unlicense": "This is free and unencumbered software released into the public domain.",
    "Apache-2.0": "                 Apache License\n           Version 2.0, January 2004\n",
    "MPL-2.0": "Mozilla Public License Version 2.0\n==================\n",
    "GPL-2.0": "   GNU GENERAL PUBLIC LICENSE\n    Version 2, June 1991\n",
    "GPL-3.0": "   GNU GENERAL PUBLIC LICENSE\n    Version 3, 29 June 2007\n",
    "LGPL-2.1": "   GNU LESSER GENERAL PUBLIC LICENSE\n    Version 2.1, February 1999\n",
    "LGPL-3.0": "   GNU LESSER GENERAL PUBLIC LICENSE\n    Version 3, 29 June 2007\n",
    "AGPL-3.0": "   GNU AFFERO GENERAL PUBLIC LICENSE\n    Version 3, 19 November 2007\n",
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_licence_is_told_by_its_own_words(name):
    assert spdx(TEXTS[name]) == name


@pytest.mark.parametrize(
    "text",
    [
        "All rights reserved.",
        MIT + " Commons Clause: you may not sell it.",
        MIT + BSD_3,
        MIT + "\n" + "It bundles another thing, under these terms. " * 80,
        BSD_3 + " All advertising materials mentioning this software must name Ann.",
    ],
    ids=["none", "with a clause", "two at once", "with more", "four-clause"],
)
def test_a_text_that_says_more_or_less_is_unknown(text):
    assert spdx(text) is None


def test_the_main_file_outranks_others_and_files_that_disagree_are_unknown():
    mit, isc = MIT.encode(), ISC.encode()

    assert licence_of({"LICENSE": mit, "LICENSE-vendored": isc}) == "MIT"
    assert licence_of({"LICENSE-MIT": mit, "LICENSE-ISC": isc}) is None
    assert licence_of({"LICENSE": mit, "COPYING": mit}) == "MIT"
    assert licence_of({}) is None
