"""Settings: one place for defaults, later sources win, and whatever is wrong is said in one line."""

import re
import tomllib
from pathlib import Path

import pytest

from configs import ConfigError, Settings, default_settings, load_settings
from configs.settings import DEFAULTS


def write(folder: Path, text: str) -> Path:
    path = folder / "my.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_are_those_of_the_brief() -> None:
    settings = default_settings()
    assert settings.prompt.trigger == "aidbox_samurai_style"
    assert settings.prompt.base == "samurai warrior badge, character holding {object}"
    assert settings.banner.style == "ribbon"
    assert settings.training.steps == 1000
    assert settings.training.learning_rate == 4e-4


def test_file_wins_over_defaults_and_environment_over_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write(tmp_path, '[banner]\nstyle = "arc"\nsize = 512\n')
    monkeypatch.setenv("BADGE_BANNER__SIZE", "256")
    settings = load_settings(config)
    assert (settings.banner.style, settings.banner.size) == ("arc", 256)
    assert settings.prompt == default_settings().prompt


def test_data_dir_is_a_plain_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BADGE_DATA_DIR", "/srv/badges")
    assert load_settings().data_dir == Path("/srv/badges")


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    config = write(tmp_path, '[banner]\nsize = 10\nstile = "arc"\n\n[generator]\nkind = "gpu"\n')
    with pytest.raises(ConfigError) as caught:
        load_settings(config)
    said = str(caught.value)
    assert said.startswith("3 settings cannot be used: ")
    for line, what in ((2, "banner.size = 10"), (3, "unknown key 'stile'"), (6, "generator.kind = 'gpu'")):
        assert re.search(rf"my\.toml, line {line}: {re.escape(what)}", said), said


def test_a_checkout_keeps_its_state_in_data() -> None:
    assert load_settings().data_dir == Path("data")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[banner]\nstile = "arc"\n', r"my\.toml, line 2: unknown key 'stile': did you mean style"),
        ("[baner]\nsize = 1\n", r"my\.toml, line 1: unknown key 'baner': did you mean banner"),
        ("\n[banner]\nsize = 10\n", r"my\.toml, line 3: banner\.size = 10: .*greater than or equal to 128"),
        ('[generator]\nkind = "gpu"\n', r"my\.toml, line 2: generator\.kind = 'gpu': .*'auto', 'local'"),
        ("[banner\n", r"my\.toml: not valid TOML: .*line 1"),
        ('[prompt]\nbase = "no place"\n', r"line 2: prompt\.base = 'no place': must contain \{object\} exactly once"),
        ('[secrets]\nhf_token = "x"\n', r"my\.toml: tokens do not belong in a config file"),
    ],
)
def test_a_wrong_file_gets_one_line_with_file_key_and_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(write(tmp_path, text))
    assert re.search(said, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such config file: .*none\.toml"):
        load_settings(tmp_path / "none.toml")
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b'x = "\xe9"')
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_settings(latin)
    with pytest.raises(ConfigError, match="cannot read"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("BADGE_BANER__SIZE", "5", "BADGE_BANER__SIZE.*did you mean BADGE_BANNER__SIZE"),
        ("BADGE_BANNER__SIZE", "big", "environment variable BADGE_BANNER__SIZE: banner.size = 'big'"),
    ],
)
def test_wrong_variables_are_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=said):
        load_settings()


def test_secrets_come_from_environment_or_dotenv_and_never_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("HF_TOKEN=hf_from_file\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "123:from-environment")
    settings = load_settings()
    assert settings.secrets.hf_token.get_secret_value() == "hf_from_file"
    assert settings.secrets.telegram_bot_token.get_secret_value() == "123:from-environment"
    assert "from" not in repr(settings.secrets)


def test_dotenv_never_says_where_an_exported_token_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("REPLICATE_BASE_URL=http://127.0.0.1:9/stranger\nREPLICATE_API_TOKEN=r8_of_file\n")
    own = load_settings().secrets
    assert (own.replicate_api_token.get_secret_value(), own.replicate_base_url) == (
        "r8_of_file",
        "http://127.0.0.1:9/stranger",
    )
    for name in ("REPLICATE_API_TOKEN", "replicate_api_token"):
        with monkeypatch.context() as exported:
            exported.setenv(name, "r8_exported")
            secrets = load_settings().secrets
            assert (secrets.replicate_api_token.get_secret_value(), secrets.replicate_base_url) == ("r8_exported", "")
            assert "REPLICATE_BASE_URL of .env is ignored" in caplog.text
            exported.setenv("REPLICATE_BASE_URL", "http://127.0.0.1:9/own")
            assert load_settings().secrets.replicate_base_url == "http://127.0.0.1:9/own"


def test_a_dotenv_that_is_no_text_is_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes("# токен\n".encode("cp1251"))
    with pytest.raises(ConfigError, match=r"\.env is not UTF-8 text"):
        load_settings()


def test_every_setting_has_a_default_and_a_comment() -> None:
    text = DEFAULTS.read_text(encoding="utf-8")
    values = tomllib.loads(text)
    for section, field in Settings.model_fields.items():
        if section == "secrets":
            continue
        keys = getattr(field.annotation, "model_fields", None)
        if keys is None:
            assert section in values
        else:
            assert set(values[section]) == set(keys), section
    undescribed = []
    described = False
    for line in text.splitlines():
        if line.startswith("#"):
            described = True
        elif not line.strip() or line.startswith("["):
            described = False
        elif re.match(r"\w+ =", line) and not described:
            undescribed.append(line)
    assert not undescribed
