"""Settings in one checked file: all faults reported at once, no start with a fault, each value overridable."""

import contextlib
import io
import os
import re
import shutil
import tomllib
from dataclasses import fields, replace
from pathlib import Path

import pytest

from etl.cli.commands import main
from etl.core import settings
from etl.operations import doctor
from etl.warehouse import publications
from tests.effort import draws
from tests.loading import copy_publication
from tests.serving import free_ports, run

ROOT = Path(__file__).parents[2]


def write_settings(folder: Path, content: str) -> dict[str, str]:
    path = folder / "settings.toml"
    path.write_text(content, encoding="utf-8")
    return {settings.FILE_VARIABLE: str(path)}


def faults(environment: dict[str, str]) -> list[str]:
    with pytest.raises(settings.Faulty) as raised:
        settings.read(environment)
    return raised.value.lines


def test_without_a_file_the_defaults_hold(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "STANDARD_FILE", tmp_path / "none.toml")
    assert settings.read({}) == settings.Settings()


def test_the_standard_file_is_read_unless_another_is_named(monkeypatch, tmp_path):
    standard = tmp_path / "standard.toml"
    standard.write_text("[web]\nport = 9001\n")
    monkeypatch.setattr(settings, "STANDARD_FILE", standard)
    assert settings.read({}).web.port == 9001
    assert settings.read(write_settings(tmp_path, "[web]\nport = 9002\n")).web.port == 9002


def test_a_variable_overrides_the_file(tmp_path):
    environment = write_settings(
        tmp_path, '[web]\nport = 9001\nallowed_hosts = ["a.example"]\n[memory]\nbuild = "1GB"\n'
    )
    assert settings.read(environment).memory.build == "1GB"
    environment |= {"BUILD_MEMORY": "512MB", "POLICEYAR_WEB_PORT": "9002", "POLICEYAR_WEB_ALLOWED_HOSTS": "b.example,c"}
    overridden = settings.read(environment)
    assert (overridden.memory.build, overridden.web.port) == ("512MB", 9002)
    assert overridden.web.allowed_hosts == ("b.example", "c")


def test_all_errors_are_reported_at_once(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    messages = faults(
        write_settings(
            tmp_path,
            f"""
            [wep]
            [web]
            prot = 8501
            port = 70000
            processes = "two"
            base_path = "no/slash"
            host = "a b"
            certificate = "{tmp_path}/none.pem"
            allowed_hosts = ["ok.example", 7]
            detail_rows = "perhaps"
            address = "localhost"
            [sign_in]
            mode = "closed"
            [folders]
            incoming = "{tmp_path}/none"
            views = "{file}"
            warehouse = "{tmp_path}"
            [memory]
            build = "much"
            [schedule]
            build_at = "24:00"
            [replicas]
            source = "-e evil builder:"
            """.replace('mode = "closed"', 'mode = "closed"\n{shared}').format(
                shared='database = "postgresql://dashboard:secret@db/policeyar"\nsyslog = "here"'
            ),
        )
        | {"READER_MEMORY": "1"}
    )
    expected = (
        "[wep] is unknown; web is meant?",
        "web.prot is unknown; port is meant?",
        "web.port: 70000",
        "web.processes: 'two'",
        "web.base_path: 'no/slash'",
        "web.host: 'a b'",
        "web.certificate: ",
        "web.allowed_hosts: 7",
        "web.detail_rows: 'perhaps'",
        "web.address: 'localhost'",
        "sign_in.mode: 'closed'",
        "folders.incoming: ",
        "folders.views: ",
        "folders.warehouse: ",
        "memory.build: 'much'",
        "schedule.build_at: '24:00'",
        "replicas.source: '-e evil builder:'",
        "sign_in.database: ",
        "sign_in.syslog: 'here'",
        "READER_MEMORY: 1 ",
    )
    assert [word for word in expected if not any(word in line for line in messages)] == []
    assert len(messages) == len(expected)
    assert not [line for line in messages if "\n" in line]


@pytest.mark.parametrize(
    ("content", "messages"),
    [
        ('[web]\ncertificate = "{file}"', "go together"),
        ("[web]\nport = 65530\nprocesses = 10", "need ports above"),
        ("[web]\nport = 8440\nprocesses = 8", "listen_port"),
        ('[web]\naddress = "0.0.0.0"', "open serves this machine only"),
        ("web = 3", "write [web]"),
        ("[web", "is not TOML"),
    ],
)
def test_contradictory_settings_are_a_fault(tmp_path, content, messages):
    file = tmp_path / "file.pem"
    file.write_text("")
    (line,) = faults(write_settings(tmp_path, content.replace("{file}", str(file))))
    assert messages in line


def test_a_missing_file_is_a_fault(tmp_path):
    (line,) = faults({settings.FILE_VARIABLE: str(tmp_path / "none.toml")})
    assert "cannot be read" in line


def test_a_key_readable_only_by_root_is_no_fault_for_other_processes(monkeypatch, tmp_path):
    hidden = tmp_path / "private" / "key.pem"
    config = f'[web]\ncertificate = "{hidden}"\ncertificate_key = "{hidden}"\n[sign_in]\n'
    is_file = Path.is_file

    def guarded(path: Path) -> bool:
        if path == hidden:
            raise PermissionError(13, "Permission denied", str(path))
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", guarded)
    assert settings.read(write_settings(tmp_path, config)).web.certificate_key == hidden
    (fault,) = faults(write_settings(tmp_path, f'{config}access = "{hidden}"\n'))
    assert fault.endswith(f"{hidden} may not be looked at by this user")


def test_modules_get_their_variables_and_what_is_set_stays(tmp_path):
    environment = write_settings(
        tmp_path, f'[memory]\nbuild = "1GB"\nbuild_threads = 2\n[folders]\nviews = "{tmp_path}/v"\n'
    )
    environment["BUILD_THREADS"] = "1"
    settings.apply(environment)
    assert (environment["BUILD_MEMORY"], environment["BUILD_THREADS"]) == ("1GB", "1")
    assert environment["VIEWS"] == str(tmp_path / "v")
    assert "DETAIL_ROWS" not in environment


@pytest.mark.slow
def test_a_build_without_a_folder_reads_that_of_the_settings_or_says_that_it_is_wrong(tmp_path):
    """An empty variable, as a unit or a shell sets it, is none."""
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    config = write_settings(tmp_path, f'[folders]\nincoming = "{incoming}"\nwarehouse = "{tmp_path}/w.duckdb"\n')
    for more in ({}, {"INCOMING": ""}):
        result = run("build", **config, **more)
        assert result.returncode == 1
        assert result.stderr.startswith(f"{incoming}: no source files; ")
    for wrong in (f"{tmp_path}/none", ""):
        result = run("build", **write_settings(tmp_path, f'[folders]\nincoming = "{wrong}"\n'))
        assert (result.returncode, result.stderr) == (1, f"folders.incoming: {wrong or '.'} is not a folder\n")


def test_weekends_are_dated_and_handed_to_the_build(tmp_path):
    environment = write_settings(
        tmp_path,
        '[[weekend]]\nfrom = "1404/03/01"\ndays = ["Thursday", "friday"]\n[[weekend]]\nfrom = 2026-01-01\ndays = []\n',
    )
    settings.apply(environment)
    assert environment["WEEKEND"] == "2025-05-22 thursday friday,2026-01-01"


@pytest.mark.parametrize(
    "weekend", ['from = "1404/13/01"\ndays = []', 'from = "1404/01/01"\ndays = ["caturday"]', 'days = ["friday"]']
)
def test_a_weekend_without_a_day_or_of_other_days_is_refused(tmp_path, weekend):
    with pytest.raises(settings.Faulty) as refused:
        settings.read(write_settings(tmp_path, f"[[weekend]]\n{weekend}\n"))
    assert [line.partition(":")[0] for line in refused.value.lines] == ["weekend.rules"]


def test_nothing_starts_on_a_fault(tmp_path):
    environment = write_settings(tmp_path, "[web]\nport = 0\nprocesses = -1\n")
    result = run("sample", str(tmp_path / "made"), "--scale", "0.001", **environment)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 2
    assert not (tmp_path / "made").exists()


def test_the_template_names_every_setting_and_its_default():
    text = (ROOT / "deploy" / "settings.toml").read_text(encoding="utf-8")
    uncommented = tomllib.loads(re.sub(r"(?m)^# (?=\w+ = |\[\[)", "", text))
    assert [list(weekend) for weekend in uncommented["weekend"]] == [["from", "days"]]
    uncommented["weekend"] = {"rules": []}
    assert set(uncommented) == {section.name for section in fields(settings.Settings)}
    defaults = settings.Settings()
    for section in fields(settings.Settings):
        table = uncommented[section.name]
        assert list(table) == [field.name for field in fields(section.type)]
        for name, value in table.items():
            if f"# {name} = " in text:
                default = getattr(getattr(defaults, section.name), name)
                expected = list(default) if isinstance(default, tuple) else "" if default is None else default
                assert value == expected, f"{section.name}.{name}"


# ------------------------------------------------------------------ the doctor


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """An installation with a publication of this code; its variables."""
    folder = tmp_path_factory.mktemp("installed")
    key = folder / "identity.key"
    key.write_bytes(bytes(32))
    key.chmod(0o600)
    environment = write_settings(
        folder,
        f"""
        [web]
        port = {(ports := free_ports(5))}
        listen_port = {ports + 4}
        processes = 1
        [folders]
        warehouse = "{folder}/warehouse/w.duckdb"
        submissions = "{folder}/submissions"
        audit = "{folder}/audit"
        backups = "{folder}/backups"
        incoming = "{ROOT}/tests/sample"
        identity_key = "{key}"
        views = "{folder}/views"
        """,
    )
    result = run("build", **environment)
    assert result.returncode == 0, result.stderr
    assert (folder / "warehouse" / "w.duckdb").exists()
    return folder, environment


def doctor_faults(without_publication: bool = False, **environment: str) -> list[str]:
    """The faults that the doctor reports."""
    return faults_printed(*doctor_says(without_publication, **environment))


def doctor_says(without_publication: bool = False, **environment: str) -> tuple[int, str]:
    """Its exit code and what it prints, asked in this process; what it sets in the environment is undone."""
    as_it_was, out = dict(os.environ), io.StringIO()
    os.environ.update(environment)
    try:
        with contextlib.redirect_stdout(out):
            code = main(["doctor", *(["--without-publication"] if without_publication else [])])
    finally:
        os.environ.clear()
        os.environ.update(as_it_was)
    return code, out.getvalue()


def faults_printed(code: int, output: str) -> list[str]:
    lines = [line for line in output.splitlines() if line.startswith("FAULT")]
    assert code == (1 if lines else 0), output
    return [line.removeprefix("FAULT  ") for line in lines]


@pytest.mark.slow
def test_the_doctor_finds_nothing_where_nothing_is_wrong(installed):
    _, environment = installed
    assert doctor_faults(**environment) == []


def test_the_doctor_reports_faults_of_the_settings(tmp_path):
    assert len(doctor_faults(**write_settings(tmp_path, "[web]\nport = 0\nprocesses = -1\n"))) == 2


@pytest.mark.slow
def test_the_doctor_reports_a_readable_key_and_a_missing_publication(installed, tmp_path):
    folder, environment = installed
    key = folder / "identity.key"
    key.chmod(0o644)
    try:
        messages = doctor_faults(**environment, WAREHOUSE=str(tmp_path / "none.duckdb"))
    finally:
        key.chmod(0o600)
    assert [line.split(":")[0] for line in messages] == ["permissions", "publication"]


@pytest.mark.slow
def test_the_doctor_reports_every_fault_of_the_files_of_sign_in(tmp_path):
    access, secrets = tmp_path / "access.toml", tmp_path / "secrets.toml"
    access.write_text('[groups.a]\nrole = "king"\n')
    secrets.write_text('[auth]\nclient_id = "dashboard"\nredirect_uri = "https://elsewhere.example/oauth2callback"\n')
    secrets.chmod(0o600)
    config = f'[sign_in]\nmode = "oidc"\naccess = "{access}"\nsecrets = "{secrets}"\n'
    messages = doctor_faults(**write_settings(tmp_path, config), without_publication=True)
    of_auth = ("[auth] needs cookie_secret", "[auth] needs server_metadata_url", "redirect_uri is none")
    expected = ("group a: a role is one of", *of_auth)
    assert [word for word in expected if not any(word in line for line in messages)] == []
    assert len(messages) == len(expected)
    secrets.write_text("secret = [")
    secrets.chmod(0o644)
    assert "chmod 600" in "".join(doctor_faults(**write_settings(tmp_path, config), without_publication=True))
    secrets.chmod(0o600)
    assert "is not TOML" in "".join(doctor_faults(**write_settings(tmp_path, config), without_publication=True))


@pytest.mark.slow
def test_the_doctor_reads_the_whole_publication(installed, tmp_path):
    """In a process of its own: DuckDB may end the process that reads a damaged file."""
    folder, environment = installed
    pointer = tmp_path / "w.duckdb"
    content = bytearray((folder / "warehouse" / "w.duckdb").read_bytes())
    block = 256 << 10
    every = range(12 << 10, len(content) - block, block)
    seen = 0
    for at in every[:: len(every) // draws(3, len(every))]:
        damaged = bytearray(content)
        damaged[at + block // 2 : at + block // 2 + 64] = os.urandom(64)
        pointer.write_bytes(damaged)
        result = run("doctor", **environment, WAREHOUSE=str(pointer))
        seen += any("damaged" in line for line in faults_printed(result.returncode, result.stdout))
    assert seen >= draws(1, 3)


@pytest.mark.slow
def test_the_doctor_reports_a_damaged_kept_publication_a_dead_build_a_lost_key_and_a_missing_file(
    installed, tmp_path, monkeypatch
):
    monkeypatch.delenv("IDENTITY_KEY", raising=False)
    folder, environment = installed
    pointer = copy_publication(folder / "warehouse" / "w.duckdb", tmp_path / "copy")
    first, *_ = publications.versions(pointer)
    shutil.copy(first, first.with_name("000002.duckdb"))
    pointer.unlink()
    pointer.symlink_to(Path(f"{pointer.name}.publications") / "000002.duckdb")
    content = bytearray(first.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 256] = os.urandom(256)
    first.write_bytes(content)
    left = first.with_name("building-dead")
    left.mkdir()
    incoming = shutil.copytree(ROOT / "tests" / "sample", tmp_path / "incoming")
    (incoming / "personnel.csv").unlink()
    key = tmp_path / "identity.key"
    key.write_bytes(b"k")
    key.chmod(0o600)
    environment = environment | {"WAREHOUSE": str(pointer), "INCOMING": str(incoming), "IDENTITY_KEY_FILE": str(key)}
    restore = "python -m etl restore takes it from a backup, python -m etl build --new-identity begins anew"
    expected = [
        f"publication: {first} is kept and damaged; remove it, and python -m etl restore takes it from a backup",
        f"publication: {left} is left over from a build that was killed; the next build removes it",
        f"identity key: {key} is cut short, and publications are kept that were made under it; {restore}",
        f"incoming: {incoming} holds no file of personnel; submit it",
    ]
    assert doctor_faults(**environment) == expected
    with publications.building(pointer) as working:
        left.mkdir(exist_ok=True)
        assert working.exists()
        assert [line for line in doctor_faults(**environment) if "died" in line] == []
    key.unlink()
    assert f"identity key: {key} is missing" in "".join(doctor_faults(**environment))
    # A host that takes over publications neither builds nor has a key.
    replica = doctor_faults(**environment, POLICEYAR_REPLICAS_SOURCE="builder:/offer")
    assert [line for line in replica if line.startswith(("identity", "incoming"))] == []


@pytest.mark.slow
def test_before_the_first_build_the_doctor_can_leave_out_the_publication(installed, tmp_path):
    _, environment = installed
    code, said = doctor_says(without_publication=True, **environment, WAREHOUSE=str(tmp_path / "none.duckdb"))
    assert code == 0, said
    assert " publication: " not in said
    assert "disk" in said


def test_the_doctor_reports_a_folder_that_cannot_be_written_and_knows_that_run_is_made_at_start(monkeypatch, tmp_path):
    of_root = tmp_path / "root"
    of_root.mkdir()
    folders = settings.Folders(backups=of_root / "backups", run=of_root / "run", incoming=tmp_path)
    monkeypatch.setattr(doctor.os, "access", lambda path, _: not path.is_relative_to(of_root))
    config = replace(settings.Settings(), folders=folders, sign_in=settings.SignIn("oidc"))

    def messages() -> list[str]:
        return [text.split()[0] for text, is_well in doctor._stores(config) if not is_well]

    assert messages() == ["backups"]
    (of_root / "run").mkdir()
    assert messages() == ["sessions", "backups"]


@pytest.mark.slow
def test_the_doctor_reports_a_publication_of_other_code(installed, monkeypatch):
    _, environment = installed
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    # What `apply` sets is undone after the test.
    monkeypatch.setattr(settings.os, "environ", dict(os.environ))
    monkeypatch.setattr(settings.apply, "__defaults__", (dict(os.environ),))
    monkeypatch.setattr(publications, "code_version", lambda: "another")
    messages = [text for what, text, is_well in doctor.examine() if not is_well]
    assert len(messages) == 1
    assert "built by another version of the program" in messages[0]


@pytest.mark.slow
def test_the_doctor_and_ready_report_an_old_publication(installed):
    folder, environment = installed
    shown = folder / "warehouse" / "w.duckdb"
    made = shown.stat()
    os.utime(shown, (made.st_atime, made.st_mtime - 8 * 86_400))
    try:
        (message,) = doctor_faults(**environment)
        ready = run("ready", **environment)
    finally:
        os.utime(shown, ns=(made.st_atime_ns, made.st_mtime_ns))
    assert message.startswith(
        "publication: the publication is 8 days old; the limit is 7: systemctl status policeyar-build"
    )
    assert (ready.returncode, "8 days old; the limit is 7" in ready.stderr) == (1, True)


@pytest.mark.slow
def test_the_doctor_reports_a_full_disk_a_clock_set_back_and_a_truncated_font(installed, monkeypatch, tmp_path):
    _, environment = installed
    config = settings.read(environment)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: doctor.shutil._ntuple_diskusage(100, 99, 1))
    assert [is_well for _, is_well in doctor._disk(config)] == [False]
    monkeypatch.setattr(doctor.time, "time", lambda: 1_000_000_000.0)
    assert [is_well for _, is_well in doctor._clock(config)] == [False]
    font = ROOT / "static" / "fonts" / "Vazirmatn-Bold.woff2"
    assert doctor._is_font(font)
    (tmp_path / "cut.woff2").write_bytes(font.read_bytes()[:-1])
    assert not doctor._is_font(tmp_path / "cut.woff2")


@pytest.mark.slow
def test_the_doctor_reports_processes_that_do_not_fit_in_memory(installed, monkeypatch):
    _, environment = installed
    monkeypatch.setattr(settings, "machine_memory", lambda: 4 << 30)
    for web, fits in (("", True), ("1.5GB", True), ("1.6GB", False)):
        config = settings.read(environment | {"POLICEYAR_MEMORY_WEB": web, "POLICEYAR_WEB_PROCESSES": "2"})
        assert [is_well for _, is_well in doctor._memory(config)] == [fits], web
    assert settings.web_memory(settings.read({"POLICEYAR_WEB_PROCESSES": "4"})) == 512 << 20
    monkeypatch.setattr(settings, "machine_memory", lambda: 2 << 30)
    (small,) = doctor._memory(settings.read(environment | {"POLICEYAR_WEB_PROCESSES": "1"}))
    assert small == ("1 web processes of 1.0 and a build of 1.0 on a machine of 2.0 GiB", True)


@pytest.mark.slow
def test_the_doctor_reports_packages_at_other_versions(installed, monkeypatch, tmp_path):
    (tmp_path / "requirements.txt").write_text("duckdb==0.1\nnot-a-package-of-ours==1\n")
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    messages = [text for text, is_well in doctor._packages(settings.Settings()) if not is_well]
    assert [text.split()[0] for text in messages] == ["duckdb", "not-a-package-of-ours"]


def test_what_readers_are_owed_is_one_text_or_one_in_each_language(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text(
        '[publication]\ncontact = { fa = "دفتر", en = "Office" }\nnext_update = "۱۴۰۵/۱۰/۰۵"\n', encoding="utf-8"
    )
    told = settings.read({"POLICEYAR_SETTINGS": str(file)}).publication
    assert (told.contact, told.next_update, told.citation) == (("دفتر", "Office"), ("2026-12-26",) * 2, ())
    file.write_text('[publication]\ncontact = { de = "Amt" }\n', encoding="utf-8")
    with pytest.raises(settings.Faulty, match=r"publication\.contact: takes one text"):
        settings.read({"POLICEYAR_SETTINGS": str(file)})


@pytest.mark.parametrize("scanner", ["clamdscan --fdpass", "/usr/bin/clamdscan 'open"])
def test_a_scanner_is_a_program_by_its_whole_path(tmp_path, scanner):
    (told,) = faults(write_settings(tmp_path, f'[submission]\nscanner = "{scanner}"\n'))
    assert told.startswith("submission.scanner: ")
    known = settings.read(write_settings(tmp_path, "[submission]\nscanner = \"'/opt/the scanner' -x\"\n"))
    assert known.submission.scanner == "'/opt/the scanner' -x"


def test_the_doctor_looks_for_the_scanner():
    def found(command: str) -> list[tuple[str, bool]]:
        known = settings.Settings(submission=settings.Submission(scanner=command))
        return list(doctor._scanner(known))

    assert found("") == []
    assert found("/bin/sh -c x") == [("/bin/sh", True)]
    assert found("/nowhere/scanner") == [("/nowhere/scanner is no program that this user can run", False)]
