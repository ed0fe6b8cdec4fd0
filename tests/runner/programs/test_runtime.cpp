// A runtime in as few lines as the Runtime API allows, over plain sockets: what a custom runtime is. It does what its
// events ask for, each of which is a JSON string of a word and an argument; INIT says the same of its start.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

int connect_to_api() {
  const std::string address = std::getenv("AWS_LAMBDA_RUNTIME_API");
  const std::size_t colon = address.find(':');
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::atoi(address.c_str() + colon + 1)));
  inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) std::exit(70);
  return fd;
}

struct Answer {
  std::string head;
  std::string body;
  int status() const { return std::atoi(head.c_str() + std::strlen("HTTP/1.1 ")); }
  std::string header(const std::string& name) const {
    const std::size_t at = head.find(name + ": ");
    if (at == std::string::npos) return {};
    const std::size_t begin = at + name.size() + 2;
    return head.substr(begin, head.find('\r', begin) - begin);
  }
};

Answer receive(int fd) {
  static std::string buffer;
  const auto more = [&] {
    static char piece[65536];
    const ssize_t got = ::recv(fd, piece, sizeof piece, 0);
    if (got <= 0) std::exit(71);
    buffer.append(piece, static_cast<std::size_t>(got));
  };
  while (buffer.find("\r\n\r\n") == std::string::npos) more();
  Answer answer;
  const std::size_t head_end = buffer.find("\r\n\r\n") + 4;
  answer.head = buffer.substr(0, head_end);
  const auto length = static_cast<std::size_t>(std::atol(answer.header("Content-Length").c_str()));
  while (buffer.size() < head_end + length) more();
  answer.body = buffer.substr(head_end, length);
  buffer.erase(0, head_end + length);
  return answer;
}

void send_all(int fd, const std::string& bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t put = ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (put <= 0) std::exit(72);
    sent += static_cast<std::size_t>(put);
  }
}

std::string host() { return std::string("Host: ") + std::getenv("AWS_LAMBDA_RUNTIME_API") + "\r\n"; }

Answer post(int fd, const std::string& call, const std::string& body, const std::string& headers = {}) {
  send_all(fd, "POST /2018-06-01/runtime/" + call + " HTTP/1.1\r\n" + host() + headers +
                   "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  return receive(fd);
}

std::string chunk(const std::string& text) {
  char size[32];
  std::snprintf(size, sizeof size, "%zx\r\n", text.size());
  return size + text + "\r\n";
}

void say(const std::string& line) {
  std::fputs((line + "\n").c_str(), stdout);
  std::fflush(stdout);
}

void sleep_ms(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

// Of processes, until it is killed.
void use_memory(int mebibytes) {
  std::vector<std::string> held;
  for (int i = 0; i < mebibytes; ++i) held.emplace_back(1U << 20U, 'x');
  ::pause();
}

// A process that does all that it can in order not to be found: a session of its own, and no parent but init.
pid_t start_orphan(int mebibytes = 0) {
  int pipe[2];
  if (::pipe(pipe) != 0) std::exit(73);
  if (::fork() == 0) {
    ::setsid();
    if (::fork() != 0) ::_exit(0);
    const pid_t self = ::getpid();
    [[maybe_unused]] const ssize_t put = ::write(pipe[1], &self, sizeof self);
    for (int fd = 0; fd < 64; ++fd) ::close(fd);
    for (;;) use_memory(mebibytes);
  }
  pid_t orphan = 0;
  [[maybe_unused]] const ssize_t got = ::read(pipe[0], &orphan, sizeof orphan);
  return orphan;
}

// The answer to an event; some have none.
std::string act(const std::string& word, const std::string& argument) {
  const int number = std::atoi(argument.c_str());
  if (word == "say") {
    say(argument);
  } else if (word == "write") {
    std::fputs(argument.c_str(), stderr);
  } else if (word == "exit") {
    std::exit(number);
  } else if (word == "signal") {
    ::raise(number);
  } else if (word == "sleep") {
    sleep_ms(number);
  } else if (word == "stubborn") {
    ::signal(SIGTERM, SIG_IGN);
    say("stubborn");
    sleep_ms(number);
  } else if (word == "fill") {
    use_memory(number);
  } else if (word == "fork-and-fill") {
    if (::fork() == 0) use_memory(number);
    ::pause();
  } else if (word == "fill-later") {
    std::thread([number] {
      sleep_ms(100);
      use_memory(number);
    }).detach();
  } else if (word == "descriptors") {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) std::exit(75);
    return std::to_string(limit.rlim_cur);
  } else if (word == "large") {
    return std::string(static_cast<std::size_t>(number), 'x');
  } else if (word == "pid") {
    return std::to_string(::getpid());
  } else if (word == "orphan") {
    return std::to_string(start_orphan());
  } else if (word == "orphan-that-fills") {
    start_orphan(number);
    ::pause();
  } else if (word == "environment") {
    std::string all;
    for (char** variable = environ; *variable != nullptr; ++variable) all += std::string(*variable) + "\n";
    return all;
  } else if (word == "files") {
    std::string open;
    for (int fd = 0; fd < 256; ++fd) {
      if (::lseek(fd, 0, SEEK_CUR) != -1 || errno != EBADF) open += std::to_string(fd) + " ";
    }
    return open;
  } else if (word == "directory") {
    char* directory = ::getcwd(nullptr, 0);
    return directory;
  }
  return "\"done\"";
}

void begin(int fd) {
  const char* init = std::getenv("INIT");
  if (init == nullptr) return;
  const std::string what = init;
  const std::size_t space = what.find(' ');
  const std::string word = what.substr(0, space);
  if (word == "error") {
    const Answer answer = post(fd, "init/error", R"({"errorMessage":"no luck","errorType":"Own.Error"})",
                               "Lambda-Runtime-Function-Error-Type: Own.Error\r\n");
    std::exit(answer.status() == 202 ? 1 : 74);
  }
  act(word, space == std::string::npos ? "" : what.substr(space + 1));
}

// Some events are about the calls themselves.
bool answer_by_hand(int fd, const std::string& word, const std::string& argument, const std::string& id,
                    const Answer& event) {
  const std::string response = "invocation/" + id + "/response";
  if (word == "statuses") {
    std::string seen = std::to_string(post(fd, "invocation/nobody/response", "{}").status());
    seen += " " + std::to_string(post(fd, "init/error", "{}").status());
    send_all(fd, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n" + host() + "\r\n");
    seen += " " + std::to_string(receive(fd).status());
    const Answer accepted = post(fd, response, "\"" + seen + "\"");
    say(std::to_string(accepted.status()) + " " + accepted.body);
    const Answer again = post(fd, response, "{}");
    say(std::to_string(again.status()) + " " + again.body);
  } else if (word == "as-a-page") {
    const std::string next = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n";
    std::string seen;
    for (const std::string& headers :
         {std::string("Host: evil.example\r\n"), std::string(), host() + "Origin: http://evil.example\r\n",
          host() + "Sec-Fetch-Site: cross-site\r\n"}) {
      send_all(fd, next + headers + "\r\n");
      const Answer answer = receive(fd);
      const bool forbidden = answer.body.find("Forbidden") != std::string::npos;
      seen += std::to_string(answer.status()) + (forbidden ? "! " : "? ");
    }
    post(fd, response, "\"" + seen + "\"");
  } else if (word == "headers") {
    post(fd, response, event.head);
  } else if (word == "fail") {
    post(fd, "invocation/" + id + "/error", R"({"errorMessage":"as told","errorType":"Told"})",
         "Lambda-Runtime-Function-Error-Type: Told\r\n");
  } else if (word == "fail-when-told") {
    sigset_t told;
    sigemptyset(&told);
    sigaddset(&told, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &told, nullptr);
    say("ready");
    int signal = 0;
    ::sigwait(&told, &signal);
    post(fd, "invocation/" + id + "/error", R"({"errorMessage":"interrupted","errorType":"Told"})");
  } else if (word == "stream" || word == "stream-and-fail") {
    std::string request = "POST /2018-06-01/runtime/" + response + " HTTP/1.1\r\n" + host() +
                          "Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n";
    if (word == "stream") {
      request += "\r\n" + chunk("\"one ") + chunk("two\"") + "0\r\n\r\n";
    } else {
      request += "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n";
      // {"errorType":"Midway"}
      request += chunk("\"one ") +
                 "0\r\nLambda-Runtime-Function-Error-Type: Midway\r\n"
                 "Lambda-Runtime-Function-Error-Body: eyJlcnJvclR5cGUiOiJNaWR3YXkifQ==\r\n\r\n";
    }
    send_all(fd, request);
    receive(fd);
  } else if (word == "answer-and") {
    post(fd, response, "\"done\"");
    const std::size_t end = argument.find(' ');
    act(argument.substr(0, end), end == std::string::npos ? "" : argument.substr(end + 1));
  } else {
    return false;
  }
  return true;
}

}  // namespace

int main() {
  const int fd = connect_to_api();
  begin(fd);
  for (;;) {
    send_all(fd, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n" + host() + "\r\n");
    const Answer event = receive(fd);
    if (event.status() != 200) return 75;
    const std::string id = event.header("Lambda-Runtime-Aws-Request-Id");
    const bool text = event.body.size() >= 2 && event.body.front() == '"';
    const std::string told = text ? event.body.substr(1, event.body.size() - 2) : std::string();
    const std::size_t space = told.find(' ');
    const std::string word = told.substr(0, space);
    const std::string argument = space == std::string::npos ? "" : told.substr(space + 1);
    if (answer_by_hand(fd, word, argument, id, event)) continue;
    const int status = post(fd, "invocation/" + id + "/response", text ? act(word, argument) : event.body).status();
    if (status != 202) say(std::to_string(status));
  }
}
