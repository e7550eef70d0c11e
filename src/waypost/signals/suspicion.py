"""How much a sentence sounds like an attack, by its words: a glance that chooses what an encoder looks at.

It covers the languages that most people write. A wrong choice costs a short pass; it decides nothing.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["suspicion"]

_STEM: Final = 5
"""Letters that tell a word, so that endings need no list."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _stems(text: str) -> frozenset[str]:
    return frozenset(word[:_STEM] for word in text.split())


_STRONG: Final = _stems(
    """
    ignore ignoring disregard forget overrule override bypass circumvent jailbreak unrestricted uncensored unfiltered
    prompt instructions pretend roleplay verbatim
    vergiss missachte anweisungen ignoriere olvida ignora ignorez oublie oubliez consignes istruzioni dimentica
    instrucciones instruções esqueça ignoruj zapomnij instrukcje polecenia negeer vergeet instructies glöm unut yoksay
    talimat abaikan lupakan instruksi instruktioner игнорируй забудь инструкции промпт инструкцию забудьте ігноруй
    تجاهل انس التعليمات تعليمات فراموش نادیده दस्तूर निर्देश अनदेखा भूल bỏ
    """
)
_WEAK: Final = _stems(
    """
    previous prior above rules guidelines restrictions filters filtered censorship policy policies system hidden secret
    reveal password credentials admin administrator persona mode dan developer obey comply refuse refusing everything
    anything ethics ethical moral morals safety confidential initial assistant chatbot unlimited evil illegal hacker
    hack reply respond print output repeat attention important forward delete leak exfiltrate execute
    regeln richtlinien geheime zeige filter einschränkungen modus entwickler system passwort
    reglas restricciones muestra secreto secretas ocultas anteriores límites censura contraseña programación sistema
    règles montre cachées caché secrètes restrictions précédentes filtre système morale directives
    regole mostra segrete nascoste restrizioni precedenti limiti censura regras mostre secretas restrições anteriores
    diretrizes правила покажи скрытую скрытые секретные ограничений цензуры системный выведи предыдущие
    kurallar gizli göster önceki sistem aturan rahasia tunjukkan sebelumnya zasady ukryte pokaż poprzednie regels toon
    geheime vorige السابقة القواعد السرية اعرض النظام قوانین नियम गुप्त पिछले
    """
)
_UNSPACED_STRONG: Final = _words(
    """
    忽略 无视 無視 忘记 忘掉 忘れ 绕过 越狱 指令 提示词 提示詞 系统消息 プロンプト 指示
    무시 잊 지시 프롬프트 ละเว้น เพิกเฉย คำสั่ง
    """
)
_UNSPACED_WEAK: Final = _words(
    """
    之前 以上 规则 規則 规定 限制 系统 秘密 隐藏 显示 输出 逐字 复述 扮演 现在你是 你现在 管理员 模式 审查 拒绝 停止
    ルール 以前 前の 制限 見せ 表示 モード 규칙 이전 숨겨 시스템 출력 제한 모드 ระบบ กฎ ก่อนหน้า
    """
)
_WORD: Final = re.compile(r"[^\W\d_]+")


def suspicion(sentence: str) -> int:
    """Count the words that attacks need, strong ones twice."""
    stems = {word[:_STEM] for word in _WORD.findall(sentence.lower())}
    found = 2 * len(stems & _STRONG) + len(stems & _WEAK)
    if sentence.isascii():
        return found
    found += 2 * sum(word in sentence for word in _UNSPACED_STRONG)
    return found + sum(word in sentence for word in _UNSPACED_WEAK)
