"""Legs named by what they are to the athlete: read row by row, or told, never guessed."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_one_reader import assert_the_same

from kneerisk.cohort.sheets.columns.own_legs import OTHER, leg_told_in, own_leg_in
from kneerisk.cohort.sheets.lexicon.languages import LANGUAGES, tables
from kneerisk.cohort.sheets.several_files.squad_file import SquadFile
from kneerisk.cohort.sheets.sheet_answer import SheetAnswer
from kneerisk.cohort.sheets.sheet_asked import SheetAsked
from kneerisk.cohort.sheets.undescribed_sheet import recognise, recognise_files

#: A right and a left dominant leg, in the words of a sheet.
SHEETS = {
    "English": "Player,Age,Sex,Dominant leg,SLR dominant,SLR non-dominant\n"
    "A,22,m,R,71,70\nB,20,f,L,80,84\n",
    "kicking and stance": "Player,Age,Sex,Kicking foot,SLR kicking leg,SLR stance leg\n"
    "A,22,m,right,71,70\nB,20,f,left foot,80,84\n",
    "camel": "playerName,age,sex,preferredLeg,slrPreferred,slrNonPreferred\n"
    "A,22,m,R,71,70\nB,20,f,L,80,84\n",
    "short": "Player,Age,Sex,Dominance,SLR D,SLR ND\nA,22,m,R,71,70\nB,20,f,L,80,84\n",
    "a heading above": "Player,Age,Sex,Dominant leg,SLR,\n,,,,Dom,Non-dom\n"
    "A,22,m,R,71,70\nB,20,f,L,80,84\n",
    "German": "Spieler;Alter;Geschlecht;verletzte Seite;SLR verletzt;SLR gesund\n"
    "A;22;m;re;71;70\nB;20;w;li;80;84\n",
    "German, one word": "Spieler;Alter;Geschlecht;Spielbein;SLR Spielbein;SLR Standbein\n"
    "A;22;m;rechts;71;70\nB;20;w;links;80;84\n",
    "French": "Joueur;Âge;Sexe;Jambe dominante;SLR dominante;SLR non dominante\n"
    "A;22;H;droite;71;70\nB;20;F;gauche;80;84\n",
    "Spanish": "Jugador;Edad;Sexo;Lado lesionado;SLR lesionado;SLR sano\n"
    "A;22;H;Der;71;70\nB;20;M;Izq;80;84\n",
    "Spanish, where D is right too": "Jugador;Edad;Sexo;Pierna dominante;SLR D;SLR ND\n"
    "A;22;H;D;71;70\nB;20;M;I;80;84\n",
    "Portuguese": "Jogador;Idade;Sexo;Perna dominante;SLR dominante;SLR não dominante\n"
    "A;22;M;direita;71;70\nB;20;F;esquerda;80;84\n",
    "Italian": "Giocatore;Età;Sesso;Arto dominante;SLR arto dominante;SLR arto non dominante\n"
    "A;22;M;dx;71;70\nB;20;F;sx;80;84\n",
    "Dutch": "Speler;Leeftijd;Geslacht;Voorkeursbeen;SLR voorkeursbeen;SLR standbeen\n"
    "A;22;m;rechts;71;70\nB;20;v;links;80;84\n",
    "Swedish": "Spelare;Ålder;Kön;Skadat ben;SLR skadat;SLR friskt\n"
    "A;22;man;höger;71;70\nB;20;kvinna;vänster;80;84\n",
    "Finnish": "Pelaaja;Ikä;Sukupuoli;Dominoiva jalka;SLR dominoiva;SLR ei-dominoiva\n"
    "A;22;mies;oikea;71;70\nB;20;nainen;vasen;80;84\n",
    "Polish": "Zawodnik;Wiek;Płeć;Noga dominująca;SLR dominująca;SLR niedominująca\n"
    "A;22;M;prawa;71;70\nB;20;K;lewa;80;84\n",
    "a row for each leg": "Player,Age,Sex,Dominant leg,Leg,SLR\nA,22,m,R,dominant,71\n"
    "A,22,m,R,non-dominant,70\nB,20,f,L,dom,80\nB,20,f,L,non-dom,84\n",
    "tests in rows": "Player,Age,Sex,Dominant leg,Test,Dominant,Non-dominant\n"
    "A,22,m,R,SLR (deg),71,70\nB,20,f,L,SLR (deg),80,84\n",
}


def legs(answer: SheetAnswer, measure: str = "slr_deg") -> list[tuple[float | None, float | None]]:
    """The measure of the left and the right leg, of each row that is ready."""
    bodies = [row.screening for row in answer.rows if row.screening]
    return [
        (body.get("left", {}).get(measure), body.get("right", {}).get(measure)) for body in bodies
    ]


@pytest.mark.parametrize("name", SHEETS)
def test_each_row_has_its_own_leg(name: str) -> None:
    answer = recognise(SHEETS[name].encode())
    assert answer.counts.questions == 0
    assert legs(answer) == [(70, 71), (80, 84)]


@pytest.mark.parametrize("name", ["English", "German", "a row for each leg"])
def test_the_command_line_reads_the_same(tmp_path: Path, name: str) -> None:
    mark = ";" if ";" in SHEETS[name] else ","
    heading, *rows = SHEETS[name].strip().split("\n")
    lines = [f"{heading}{mark}Outcome", *(f"{row}{mark}ok" for row in rows)]
    assert_the_same(tmp_path, "\n".join(lines).encode())


def test_a_leg_that_no_row_tells_is_left_out_and_told() -> None:
    answer = recognise(
        b"Player,Age,Sex,Involved side,SLR involved,SLR uninvolved,SLR pain\n"
        b"A,22,m,both,71,70,0\nB,20,f,none,80,84,0\nC,21,f,,80,84,0\nD,23,f,L,66,67,1\n"
    )
    assert legs(answer) == [(None, None), (None, None), (None, None), (66, 67)]
    (note,) = [note for note in answer.notes if note.code == "leg_not_told"]
    assert "rows 2, 3, 4" in note.message


def test_without_a_column_that_tells_it_is_listed_and_nothing_is_guessed() -> None:
    answer = recognise(
        b"Player,Age,Sex,Ankle DF dominant,Ankle DF non-dominant,Quad involved (Nm/kg),"
        b"Quad uninvolved (Nm/kg),Hip drop left\nA,22,m,41,38,2.6,2.5,4\nB,20,f,36,35,2.2,2.1,5\n"
    )
    assert answer.counts.questions == 0
    assert [column.means for column in answer.columns[3:7]] == [None] * 4
    for at, words in ((3, "'Dominant leg'"), (5, "'Involved leg'")):
        assert "differs between athletes" in answer.columns[at].why
        assert words in answer.columns[at].why
    # Whoever knows that it is one leg of all can say so.
    asks = [one.ask.means for one in answer.columns[5].alternatives]
    assert asks == [f"{leg}_quad_torque_nm_kg" for leg in ("right", "left", "both")]
    told = recognise(
        b"Player,Age,Sex,SLR dominant\nA,22,m,71\nB,20,f,80\n",
        SheetAsked.model_validate({"columns": {"D": {"means": "right_slr_deg"}}}),
    )
    assert legs(told) == [(None, 71), (None, 80)]


def test_another_file_may_tell_the_leg() -> None:
    answer = recognise_files(
        [
            SquadFile("people.csv", b"Name,Age,Sex,Dominant leg\nAnn,22,f,R\nBea,20,f,L\n"),
            SquadFile("slr.csv", b"Name,SLR dom,SLR non-dom\nAnn,71,70\nBea,80,84\n"),
        ]
    )
    assert legs(answer) == [(70, 71), (80, 84)]
    sources = {cell.source for row in answer.rows for cell in row.cells if cell.value == 71}
    assert sources == {"slr.csv, row 2"}


def test_both_pairs_of_one_sheet_have_their_own_column() -> None:
    answer = recognise(
        b"Player,Age,Sex,Dominant leg,Injured leg,SLR dominant,SLR non-dominant,"
        b"KTW injured (cm),KTW healthy (cm)\nA,22,m,R,L,71,70,9,10\n"
    )
    assert legs(answer) == [(70, 71)]
    assert legs(answer, "wblt_distance_cm") == [(9, 10)]


@pytest.mark.parametrize(
    "name",
    ["Quad (% of uninvolved)", "Quad involved/uninvolved", "Contralateral pelvic drop L (deg)",
     "SLR dominant L", "Standing hip abduction L (N)"],
)  # fmt: skip
def test_a_ratio_of_both_or_a_side_that_is_named_is_no_such_leg(name: str) -> None:
    answer = recognise(
        f"Player,Age,Sex,Mass (kg),Dominant leg,{name}\nA,22,m,80,L,70\nB,20,f,70,R,72\n".encode()
    )
    assert not answer.parts
    assert answer.columns[5].side in {None, "left"}
    assert "differs between athletes" not in answer.columns[5].why


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_a_language_name_the_legs(language: str) -> None:
    table = tables()[language]
    for leg, other in OTHER.items():
        for word in table["own_leg", leg]:
            if not word.endswith("?"):
                found = own_leg_in(f"SLR {word}")
                assert found is not None, word
                assert (found.leg, found.rest) == (leg, "SLR")
                assert (leg_told_in(word) is None) == (leg.startswith(("non_", "un"))), (
                    word,
                    other,
                )
    for told in ("dominant", "involved"):
        for name in table["own_leg", f"told_{told}"]:
            assert leg_told_in(name) == told


def test_rows_of_a_leg_that_nothing_tells_are_asked_about_once() -> None:
    answer = recognise(b"Player,Age,Sex,Leg,SLR\nA,22,m,dominant,71\nA,22,m,non-dominant,80\n")
    (asked,) = [column for column in answer.columns if column.question]
    assert (asked.means, asked.proposal, asked.asks) == ("side", None, None)
    assert "'Dominant leg'" in str(asked.question)
