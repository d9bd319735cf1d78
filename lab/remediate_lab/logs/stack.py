"""The exceptions' texts, as .NET Framework writes them in several languages.

The frames of the fault are the article's. Messages are translated where the translation is known to be Microsoft's,
and English elsewhere, as on a server without that language pack.
"""

from msgspec import Struct

from remediate_lab.clock.life import FAULT

HTTP, COM = "System.Web.HttpException", "System.Runtime.InteropServices.COMException"

# "" stands where a frame was thrown again: the line that ends the trace of the previous location.
_THROWN_AGAIN = ""
FLUSH = (
    "System.Web.Hosting.IIS7WorkerRequest.RaiseCommunicationError(Int32 result, Boolean throwOnDisconnect)",
    "System.Web.Hosting.IIS7WorkerRequest.ExplicitFlush()",
    "System.Web.HttpResponse.Flush(Boolean finalFlush, Boolean async)",
    "System.Web.HttpWriter.WriteFromStream(Byte[] data, Int32 offset, Int32 size)",
    "System.IO.Stream.<>c.<BeginWriteInternal>b__46_0(Object )",
    "System.Threading.Tasks.Task`1.InnerInvoke()",
    "System.Threading.Tasks.Task.Execute()",
    _THROWN_AGAIN,
    "System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw()",
    "System.Runtime.CompilerServices.TaskAwaiter.HandleNonSuccessAndDebuggerNotification(Task task)",
    "System.IO.Stream.EndWrite(IAsyncResult asyncResult)",
    "Microsoft.Owin.Host.SystemWeb.CallStreams.OutputStream.EndWrite(IAsyncResult asyncResult)",
    "System.Net.Http.StreamToStreamCopy.BufferWrittenCallback(IAsyncResult ar)",
    _THROWN_AGAIN,
    "System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw()",
    "System.Runtime.CompilerServices.TaskAwaiter.HandleNonSuccessAndDebuggerNotification(Task task)",
    "System.Web.Http.Owin.HttpMessageHandlerAdapter.<SendResponseMessageAsync>d__33.MoveNext()",
)
READ = (
    "System.Web.Hosting.IIS7WorkerRequest.RaiseCommunicationError(Int32 result, Boolean throwOnDisconnect)",
    "System.Web.Hosting.IIS7WorkerRequest.ReadEntityCoreSync(Byte[] buffer, Int32 offset, Int32 size)",
    "System.Web.HttpBufferlessInputStream.Read(Byte[] buffer, Int32 offset, Int32 count)",
    "Contoso.Web.Controllers.UploadController.Post()",
)


class Language(Struct, frozen=True):
    """The words. ``inner``: what the COMException says."""

    at: str
    again: str
    end_of_inner: str
    inner: str
    closed: str = "The remote host closed the connection. The error code is {code}."
    communicating: str = "An error occurred while communicating with the remote host. The error code is {code}."


LANGUAGES = {
    "en": Language(
        "at",
        "--- End of stack trace from previous location where exception was thrown ---",
        "--- End of inner exception stack trace ---",
        "The request is not supported. (Exception from HRESULT: {code})",
    ),
    "de": Language(
        "bei",
        "--- Ende der Stapelüberwachung vom vorhergehenden Ort, an dem die Ausnahme ausgelöst wurde ---",
        "--- Ende der internen Ausnahmestapelüberwachung ---",
        "Die Anforderung wird nicht unterstützt. (Ausnahme von HRESULT: {code})",
        "Der Remotehost hat die Verbindung getrennt. Der Fehlercode ist {code}.",
    ),
    "fr": Language(
        "à",
        "--- Fin de la trace de la pile à partir de l'emplacement précédent au niveau duquel "
        "l'exception a été levée ---",
        "--- Fin de la trace de la pile d'exception interne ---",
        "Cette demande n’est pas prise en charge. (Exception de HRESULT : {code})",  # noqa: RUF001  # as Windows has it
        "L'hôte distant a fermé la connexion. Le code d'erreur est {code}.",
    ),
    "es": Language(
        "en",
        "--- Fin del seguimiento de la pila de la ubicación anterior donde se produjo la excepción ---",
        "--- Fin del seguimiento de la pila de la excepción interna ---",
        "Solicitud no compatible. (Excepción de HRESULT: {code})",
        "El host remoto cerró la conexión. El código de error es {code}.",
    ),
    "ru": Language(
        "в",
        "--- Конец трассировки стека из предыдущего расположения, где возникло исключение ---",
        "--- Конец трассировки внутреннего стека исключений ---",
        "Такой запрос не поддерживается. (Исключение из HRESULT: {code})",
    ),
    "zh": Language(
        "在",
        "--- 引发异常的上一位置中堆栈跟踪的末尾 ---",
        "--- 内部异常堆栈跟踪的结尾 ---",
        "不支持该请求。 (异常来自 HRESULT:{code})",
        "远程主机关闭了连接。错误代码是 {code}。",
    ),
}


class Thrown(Struct, frozen=True):
    """One exception as text, lines ending in ``\\n``. ``whole`` is its ToString; ``base`` the innermost one."""

    type: str
    message: str
    frames: str
    whole: str
    base_type: str
    base_message: str


def thrown(code: str, language: str = "en", numbered: bool = True) -> Thrown:
    """The exception of that code. ``numbered``: an HRESULT stands behind the type's name."""
    words = LANGUAGES[language]
    lines = [f"   {words.at} {frame}" if frame else words.again for frame in (READ if code == "0x800703E3" else FLUSH)]
    frames = "\n".join(lines)
    if code != FAULT:
        # The client has gone: no inner exception.
        message = words.closed.format(code=code)
        head = f"{HTTP} ({code})" if numbered else HTTP
        return Thrown(HTTP, message, frames, f"{head}: {message}\n{frames}", HTTP, message)
    message, inner = words.communicating.format(code=code), words.inner.format(code=code)
    head = f"{HTTP} (0x80004005)" if numbered else HTTP
    whole = f"{head}: {message} ---> {COM} ({code}): {inner}\n   {words.end_of_inner}\n{frames}"
    return Thrown(HTTP, message, frames, whole, COM, inner)
