#include "cli/input.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace penstock::cli {
namespace {

/// What is written comes out at the other end.
class Pipe {
 public:
  Pipe() {
    if (::pipe(ends_.data()) != 0) throw std::runtime_error("pipe");
  }
  ~Pipe() {
    ::close(ends_[0]);
    end();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int out() const { return ends_[0]; }
  void write(std::string_view text) {
    ASSERT_EQ(::write(ends_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void end() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

std::optional<std::string> next(LineReader& lines) {
  const auto line = lines.next();
  return line ? std::optional<std::string>(*line) : std::nullopt;
}

TEST(LineReader, GivesLinesWithTheirNumbers) {
  Pipe pipe;
  pipe.write("one\n\nthree\r\nlast");
  pipe.end();
  LineReader lines(pipe.out());
  EXPECT_EQ(next(lines), "one");
  EXPECT_EQ(next(lines), "");
  EXPECT_EQ(next(lines), "three\r");
  EXPECT_EQ(lines.number(), 3U);
  EXPECT_EQ(next(lines), "last");
  EXPECT_EQ(next(lines), std::nullopt);
  EXPECT_EQ(next(lines), std::nullopt);
}

TEST(LineReader, OfNothingHasNoLine) {
  Pipe pipe;
  pipe.end();
  LineReader lines(pipe.out());
  EXPECT_TRUE(lines.is_ready());
  EXPECT_EQ(next(lines), std::nullopt);
}

TEST(LineReader, IsReadyWithAWholeLineAndAtTheEnd) {
  Pipe pipe;
  LineReader lines(pipe.out());
  EXPECT_FALSE(lines.is_ready());
  pipe.write("half");
  EXPECT_FALSE(lines.is_ready());
  pipe.write(" and half\nmore");
  EXPECT_TRUE(lines.is_ready());
  EXPECT_EQ(next(lines), "half and half");
  EXPECT_FALSE(lines.is_ready());
  pipe.end();
  EXPECT_TRUE(lines.is_ready());
  EXPECT_EQ(next(lines), "more");
}

TEST(LineReader, RefusesLinesThatAreTooLong) {
  constexpr std::size_t max = 8;
  for (const std::string_view text : {"fits....\nis too long\n", "fits....\nis too long"}) {
    Pipe pipe;
    pipe.write(text);
    pipe.end();
    LineReader lines(pipe.out(), max);
    EXPECT_EQ(next(lines), "fits....");
    try {
      lines.next();
      FAIL() << "it was taken";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "line 2 has more than 8 bytes");
    }
  }
}

TEST(ReadAll, TakesAsMuchAsItMay) {
  Pipe pipe;
  pipe.write("12345678");
  pipe.end();
  EXPECT_EQ(read_all(pipe.out(), 8, "it"), "12345678");
  Pipe longer;
  longer.write("123456789");
  longer.end();
  EXPECT_THROW(read_all(longer.out(), 8, "it"), std::runtime_error);
}

}  // namespace
}  // namespace penstock::cli
